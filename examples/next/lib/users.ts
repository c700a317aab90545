import { cookies } from "next/headers";
import { Table } from "./table";

export interface User {
  id: string;
  email: string;
  name: string;
  session: string;
  /** What brought them: a code as it was typed, and the click on a share link. */
  code: string | null;
  click: string | null;
  /** Whether BillStack may not know all that we know. */
  open: boolean;
  stripeId?: string;
  billstackId?: string;
  ownCode?: string;
  /** Why their code counts for nothing. */
  notice?: string | null;
}

export const users = new Table<User>("users");

/** What customers are told, by the id of the event that told us. */
export const news = new Table<{ id: string; userId: string; text: string }>("news");

export async function signedIn(): Promise<User | undefined> {
  const session = (await cookies()).get("session")?.value;
  return users.rows().find((user) => user.session === session);
}

/** This shop sells in USD alone; other currencies have other smallest units. */
export function money(amount: number, currency: string): string {
  return `${Math.trunc(amount / 100)}.${String(amount % 100).padStart(2, "0")} ${currency.toUpperCase()}`;
}
