// What comes before every page: the cookies of whoever was recommended, and the policy of the page.

import { takeClick } from "billstack-referrals/links";
import { NextResponse, type NextRequest } from "next/server";
import { kept, secure } from "./lib/cookies";
import { referrals } from "./lib/settings";

/** Whoever comes by a share link brings `ref`, a code, and `ref_click`, which goes out of the address. */
export function proxy(request: NextRequest) {
  const { pathname, search, searchParams } = request.nextUrl;
  const click = request.method === "GET" && takeClick(pathname + search);
  if (click) {
    const headers = { location: new URL(click.location, request.url).href, "set-cookie": secure(click.setCookie) };
    return new NextResponse(null, { status: 302, headers });
  }
  const nonce = btoa(crypto.randomUUID());
  const headers = new Headers(request.headers);
  // Next gives this nonce to the scripts that it writes into the page.
  headers.set("content-security-policy", policy(nonce));
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy(nonce));
  const code = searchParams.get("ref");
  if (request.method === "GET" && code && code.length <= 64) response.cookies.set("ref", code, kept(60));
  return response;
}

/** Scripts and frames of BillStack Referrals are all that comes from elsewhere. */
function policy(nonce: string): string {
  const { origin } = referrals();
  const isDev = process.env.NODE_ENV === "development";
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' ${origin}${isDev ? " 'unsafe-eval'" : ""}`,
    `style-src 'self'${isDev ? " 'unsafe-inline'" : ""}`,
    `frame-src ${origin}`,
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

// Files need no policy, and a webhook is no visitor.
export const config = { matcher: "/((?!_next/|icon.svg|webhooks/).*)" };
