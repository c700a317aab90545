import { connection } from "next/server";
import type { ReactNode } from "react";

export const metadata = { title: "A shop" };

export default async function Layout({ children }: { children: ReactNode }) {
  // The policy of a page names a nonce of its own, so no page is made in advance.
  await connection();
  return (
    <html lang="en">
      <body>
        <main>{children}</main>
      </body>
    </html>
  );
}
