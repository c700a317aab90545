import { BillStackError } from "billstack-referrals";
import { billstack } from "../../../lib/services";
import { signedIn } from "../../../lib/users";

/** A token for the element: whose page it shows is a matter of our session, never of the request. */
export async function GET() {
  const user = await signedIn();
  if (!user?.billstackId) return new Response(null, { status: 401 });
  try {
    const session = await billstack().createPortalSession(user.billstackId);
    return Response.json(session, { headers: { "cache-control": "no-store" } });
  } catch (error) {
    if (!(error instanceof BillStackError)) throw error;
    // The element asks again.
    return new Response(null, { status: 503 });
  }
}
