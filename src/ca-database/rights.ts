/** CA_ACCESS_ADMIN, CA_ACCESS_OFFICER and CA_ACCESS_READ: each of them is enough to read the database. */
const readingRoles = 0x103;

/** True if an account with these rights, CA_ACCESS_* bits, may read the database. */
export function mayRead(roles: number): boolean {
  return (roles & readingRoles) !== 0;
}
