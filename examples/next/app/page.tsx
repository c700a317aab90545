import Link from "next/link";

export default function Home() {
  return (
    <>
      <h1>A shop</h1>
      <Link href="/sign-up">Sign up</Link>
    </>
  );
}
