export { type Applied, BillStack, type CustomerKey, type KeyedOptions } from "./client.js";
export * from "./errors.js";
export * from "./links.js";
export type { Call, CallOptions, Options } from "./transport.js";
export type * from "./types.js";
export * from "./webhooks.js";
