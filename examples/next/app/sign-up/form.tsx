"use client";

import { useActionState } from "react";
import { signUp } from "./actions";

/** A form that works without scripts too. The code can be changed: people also come with one from a friend's mouth. */
export function SignUpForm({ code }: { code: string }) {
  const [problem, action] = useActionState(signUp, null);
  return (
    <form action={action}>
      <p>
        <label>
          Name <input name="name" required />
        </label>
      </p>
      <p>
        <label>
          Email <input name="email" type="email" required />
        </label>
      </p>
      <p>
        <label>
          Code <input name="code" defaultValue={code} />
        </label>
      </p>
      {problem && <p role="alert">{problem}</p>}
      <button>Sign up</button>
    </form>
  );
}
