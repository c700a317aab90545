import { cookies } from "next/headers";
import { SignUpForm } from "./form";

export default async function SignUp({ searchParams }: PageProps<"/sign-up">) {
  const { ref } = await searchParams;
  // A link that is followed now means more than one of yesterday.
  const code = [ref].flat()[0] ?? (await cookies()).get("ref")?.value ?? "";
  return (
    <>
      <h1>Sign up</h1>
      <SignUpForm code={code} />
    </>
  );
}
