import { setting } from "./settings";

/** A cookie that no script reads, for so many days or until the browser ends. On your own machine there is no HTTPS. */
export function kept(days?: number) {
  const secure = setting("SHOP_URL").startsWith("https:");
  return { httpOnly: true, secure, sameSite: "lax", path: "/", maxAge: days && days * 86_400 } as const;
}

/** The same of a cookie that the client has written. */
export function secure(cookie: string): string {
  return kept().secure ? cookie : cookie.replace("; Secure", "");
}

/** What removes a cookie. */
export const gone = () => ({ ...kept(), maxAge: 0 });
