import { createHmac, timingSafeEqual } from "node:crypto";
import type { Event } from "./types.js";

/** A webhook that must not be believed. */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";
}

export interface VerifyOptions {
  /** By how many seconds its time may be off; 300 unless given. */
  toleranceSeconds?: number;
}

/** The headers of a request, as Node, the web or a framework has them. */
export type HeadersLike = Headers | Record<string, string | readonly string[] | undefined>;

/**
 * The event that a webhook tells, once its signature is right. The body is that which came, byte for byte, and not
 * JSON that was parsed and written again. With several secrets any one will do, as while one is rotated.
 */
export function verifyWebhook(
  headers: HeadersLike,
  body: string | Uint8Array,
  secrets: string | readonly string[],
  options: VerifyOptions = {},
): Event {
  const id = header(headers, "webhook-id");
  const time = header(headers, "webhook-timestamp");
  const signatures = header(headers, "webhook-signature");
  const off = Math.abs(Date.now() / 1_000 - (/^\d{1,12}$/.test(time) ? Number(time) : NaN));
  if (!(off <= (options.toleranceSeconds ?? 300))) throw new WebhookVerificationError("its time is too far off");
  const given = signatures.split(" ").map(bytesOf);
  const right = [secrets].flat().map((secret) => createHmac("sha256", keyOf(secret)));
  const digests = right.map((hmac) => hmac.update(`${id}.${time}.`).update(body).digest());
  // All are compared, so that the time taken tells nothing of which was nearly right.
  const matches = digests.flatMap((digest) => given.map((one) => isEqual(one, digest)));
  if (!matches.includes(true)) throw new WebhookVerificationError("no signature is right");
  try {
    return JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body)) as Event;
  } catch (cause) {
    throw new WebhookVerificationError("it is not JSON", { cause });
  }
}

function header(headers: HeadersLike, name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : find(headers, name);
  if (typeof value !== "string") throw new WebhookVerificationError(`${name} is missing`);
  return value;
}

function find(headers: Exclude<HeadersLike, Headers>, name: string): unknown {
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return Array.isArray(found) ? found[0] : found;
}

function keyOf(secret: string): Buffer {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  // An empty key is everybody's.
  if (key.length === 0) throw new TypeError("the secret of the webhook endpoint is empty");
  return key;
}

function bytesOf(signature: string): Buffer {
  return signature.startsWith("v1,") ? Buffer.from(signature.slice(3), "base64") : Buffer.alloc(0);
}

function isEqual(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
