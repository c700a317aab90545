"use server";

import { randomBytes } from "node:crypto";
import { cookies } from "next/headers";
import { redirect } from "next/navigation";
import { gone, kept } from "../../lib/cookies";
import { introduceIfPossible } from "../../lib/introduce";
import { users } from "../../lib/users";

/** Makes an account. Returns what is in the way. */
export async function signUp(_: string | null, form: FormData): Promise<string> {
  const [name, email, code] = ["name", "email", "code"].map((field) => String(form.get(field) ?? "").trim());
  if (!name || !email) return "Name and address, please.";
  const address = email.toLowerCase();
  if (users.rows().some((user) => user.email === address)) return "There is an account with this address.";
  const session = randomBytes(32).toString("base64url");
  const jar = await cookies();
  // Both are passed on: what was typed counts, and the click tells how they came.
  const brought = { code: code?.slice(0, 64) || null, click: jar.get("ref_click")?.value ?? null };
  const id = `user-${randomBytes(8).toString("hex")}`;
  // The account is there, whatever becomes of the rest.
  await introduceIfPossible(users.put(id, { email: address, name, session, ...brought, open: true }));
  jar.set("ref_click", "", gone()).set("ref", "", gone()).set("session", session, kept());
  redirect("/account");
}
