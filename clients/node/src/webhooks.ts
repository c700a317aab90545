import { createHmac, timingSafeEqual } from "node:crypto";
import { isObject, parsed } from "./answer.js";
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
 * JSON that was parsed and written again. With several secrets any one will do, as while one is rotated; blank ones count
 * for nothing. A secret that is none is a `TypeError`: nothing could be believed.
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
  const right = keysOf(secrets).map((key) => createHmac("sha256", key));
  const digests = right.map((hmac) => hmac.update(`${id}.${time}.`).update(body).digest());
  // All are compared, so that the time taken tells nothing of which was nearly right.
  const matches = digests.flatMap((digest) => given.map((one) => isEqual(one, digest)));
  if (!matches.includes(true)) throw new WebhookVerificationError("no signature is right");
  const event = parsed(typeof body === "string" ? body : new TextDecoder().decode(body));
  if (!isObject(event) || typeof event.type !== "string") throw new WebhookVerificationError("it is no event");
  return event as unknown as Event;
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

function keysOf(secrets: string | readonly string[]): Buffer[] {
  const given = [secrets].flat().map((secret) => secret.trim()).filter(Boolean);
  // An empty key is everybody's.
  if (given.length === 0) throw new TypeError("no secret of the webhook endpoint is given");
  return given.map((secret) => {
    const text = secret.replace(/^whsec_/, "");
    if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
      throw new TypeError("a secret of the webhook endpoint is cut short, or none");
    }
    return Buffer.from(text, "base64");
  });
}

function bytesOf(signature: string): Buffer {
  return signature.startsWith("v1,") ? Buffer.from(signature.slice(3), "base64") : Buffer.alloc(0);
}

function isEqual(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
