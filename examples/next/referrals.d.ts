import "react";

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      /** The element of /embed/v1.js, with the attributes used here. */
      "billstack-referrals": { project: string; "token-url": string };
    }
  }
}
