// What share links leave with a visitor. Nothing in here needs Node, so it also runs at the edge.

import type { LinkSettings } from "./types.js";

/** A click that has to be kept until the visitor signs up. */
export interface Click {
  clickToken: string;
  /** The address without the token: send the visitor there. */
  location: string;
  /** The value of `Set-Cookie` to send along. */
  setCookie: string;
}

export interface ClickOptions {
  /** `clickParameter` of the link settings; `ref_click` unless given. */
  parameter?: string;
  /** The name of the cookie; `ref_click` unless given. */
  cookie?: string;
  /** `windowDays` of the link settings; 60 unless given. */
  days?: number;
}

/** No token is nearly as long; what is longer is somebody's joke. */
const LONGEST = 1_024;

/**
 * The click that a page was called with, or null, whatever somebody sends for an address. It may be a path. Without
 * HTTPS, as on your own machine, take `; Secure` out of the cookie.
 */
export function takeClick(address: string | URL | undefined, options: ClickOptions = {}): Click | null {
  const { parameter = "ref_click", cookie = "ref_click", days = 60 } = options;
  const url = parsed(address);
  const clickToken = url?.searchParams.get(parameter);
  if (!url || !clickToken || clickToken.length > LONGEST) return null;
  url.searchParams.delete(parameter);
  const age = `Max-Age=${days * 86_400}`;
  return {
    clickToken,
    location: url.pathname.replace(/^\/+/, "/") + url.search,
    setCookie: `${cookie}=${encodeURIComponent(clickToken)}; Path=/; ${age}; HttpOnly; Secure; SameSite=Lax`,
  };
}

function parsed(address: string | URL | undefined): URL | null {
  try {
    // A path that begins with two slashes would lead to another host.
    const text = String(address ?? "").replace(/^[\\/]+/, "/");
    return new URL(text, "http://localhost");
  } catch {
    return null;
  }
}

/** The token that was kept, from the header `Cookie`, or null. */
export function keptClick(cookies: string | null | undefined, options: ClickOptions = {}): string | null {
  const begin = `${options.cookie ?? "ref_click"}=`;
  const found = (cookies ?? "").split(/; */).find((one) => one.startsWith(begin));
  if (!found) return null;
  try {
    return decodeURIComponent(found.slice(begin.length)) || null;
  } catch {
    return null;
  }
}

/** The value of `Set-Cookie` that removes the token once the account is made. */
export function forgetClick(options: ClickOptions = {}): string {
  return `${options.cookie ?? "ref_click"}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax`;
}

/** The link that a customer shares: by a code or a name of it; `via` tells clicks apart (`qr`, `whatsapp`, `mail`). */
export function shareUrl(settings: LinkSettings, code: string, via?: string): string {
  const [form] = settings.shareUrls;
  if (form === undefined) throw new TypeError("the link settings have no form of a link");
  const url = form.replace("{code}", encodeURIComponent(code));
  return via === undefined ? url : `${url}?s=${encodeURIComponent(via)}`;
}
