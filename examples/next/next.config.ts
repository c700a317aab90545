import type { NextConfig } from "next";

// Nothing is told to the makers of Next.js.
process.env.NEXT_TELEMETRY_DISABLED = "1";

const config: NextConfig = {
  poweredByHeader: false,
  // There may be lock files above this directory.
  turbopack: { root: import.meta.dirname },
};

export default config;
