/** Runs once when the server starts. */
export async function register() {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { introduceLater } = await import("./lib/introduce");
  introduceLater();
}
