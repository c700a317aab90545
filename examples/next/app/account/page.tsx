import { BillStackError, shareUrl } from "billstack-referrals";
import { redirect } from "next/navigation";
import { billstack } from "../../lib/services";
import { referrals } from "../../lib/settings";
import { money, news, signedIn, type User } from "../../lib/users";
import { checkout } from "./actions";

export default async function Account() {
  const user = await signedIn();
  if (!user) redirect("/sign-up");
  const told = news.rows().filter(({ userId }) => userId === user.id);
  const lines = [user.notice ?? "", ...told.map(({ text }) => text), ...(await standing(user))];
  return (
    <>
      <h1>{user.name}</h1>
      {lines.filter(Boolean).map((line, at) => (
        <p key={at}>{line}</p>
      ))}
      <form action={checkout}>
        <button>Subscribe</button>
      </form>
      {user.ownCode && <MyReferrals />}
    </>
  );
}

/** Their link and what they have, as far as BillStack tells now. */
async function standing({ ownCode, billstackId }: User): Promise<string[]> {
  if (!ownCode || !billstackId) return [];
  try {
    const link = `Recommend us: ${shareUrl(await billstack().linkSettings(), ownCode)}`;
    const has = await billstack().balances(billstackId);
    return [link, ...has.map(({ amount, currency }) => `You have ${money(amount, currency)}`)];
  } catch (error) {
    if (!(error instanceof BillStackError)) throw error;
    return [`Recommend us: your code is ${ownCode}`];
  }
}

/** The page of BillStack Referrals inside of ours. It asks /my/referral-token for a token, and comes back for more. */
function MyReferrals() {
  const { origin, project } = referrals();
  return (
    <section>
      <h2>My referrals</h2>
      <script type="module" async src={`${origin}/embed/v1.js`} />
      <billstack-referrals project={project} token-url="/my/referral-token" />
    </section>
  );
}
