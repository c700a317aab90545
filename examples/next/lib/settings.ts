/** A setting of the environment, read when it is needed: `next build` knows none. */
export function setting(name: string, otherwise?: string): string {
  const value = process.env[name] ?? otherwise;
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** Where the element comes from, and whose it is: `https://…/api/billstack/teams/team_…/projects/proj_…` says both. */
export function referrals(): { origin: string; project: string } {
  const api = new URL(setting("REFERRALS_API"));
  const [, team, project] = /\/teams\/([^/]+)\/projects\/([^/]+)/.exec(api.pathname) ?? [];
  return { origin: setting("REFERRALS_PUBLIC_URL", api.origin), project: `${team}/${project}` };
}
