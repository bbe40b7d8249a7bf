import type { DistinguishedName } from "./distinguished-name.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** An account of the simulated Active Directory. */
export interface Account {
  readonly kind: "user" | "machine" | "service";
  /** `CORP\name`, as the CA writes it. */
  readonly samName: string;
  /** Name of a person, or host name without the domain. */
  readonly displayName: string;
  /** User principal name, or DNS name of a machine. */
  readonly principal: string;
  readonly distinguishedName: DistinguishedName;
  readonly sid: string;
}

/** DNS name of the simulated domain. */
export const domainName = "corp.example";

/** Naming context of the simulated domain, most specific part first. */
export const domainContext: DistinguishedName = [
  ["DC", "corp"],
  ["DC", "example"],
];

const givenNames = (
  "Alice Amir Beatriz Chloé Daniel Elif Farid Grace Henrik Ines " +
  "Jürgen Keiko Lars María Nadia Oskar Priya Rosa Tomasz Zoë"
).split(" ");
const surnames = (
  "Andersson Bauer Costa Dubois Eriksen Fischer García Horváth Ito " +
  "Jansen Kowalski López Müller Novák O'Brien Patel Rossi Şahin"
).split(" ");
const departments = ["Engineering", "Finance", "Operations", "People", "Research", "Sales"];

/** Creates users, machines, and a service for every ten machines; the first SID ends in 1104. */
export function createAccounts(random: SeededRandom, users: number, machines: number): Account[] {
  const domainSid = `S-1-5-21-${[0, 1, 2].map(() => random.bytes(4).readUInt32BE()).join("-")}`;
  const accounts: Account[] = [];
  const add = (make: (random: SeededRandom, sid: string) => Account, count: number): void => {
    for (let made = 0; made < count; made += 1) {
      accounts.push(make(random, `${domainSid}-${1104 + accounts.length}`));
    }
  };
  add(createUser, users);
  add(createMachine, machines);
  add(createService, Math.ceil(machines / 10));
  return accounts;
}

function createUser(random: SeededRandom, sid: string): Account {
  const [givenName, surname] = [random.pick(givenNames), random.pick(surnames)];
  const login = `${plain(givenName)}.${plain(surname)}${sid.slice(-2)}`;
  return {
    kind: "user",
    samName: `CORP\\${login}`,
    displayName: `${givenName} ${surname}`,
    principal: `${login}@${domainName}`,
    distinguishedName: [
      ["CN", `${givenName} ${surname}`],
      ["OU", random.pick(departments)],
      ...domainContext,
    ],
    sid,
  };
}

function plain(name: string): string {
  const letters = name.normalize("NFD").replaceAll(/[^A-Za-z]/g, "");
  return letters.toLowerCase();
}

function createMachine(random: SeededRandom, sid: string): Account {
  const prefix = random.pick(["WS", "LT", "SRV"]);
  return hostAccount("machine", `${prefix}-${sid.slice(-4)}`, sid);
}

function createService(random: SeededRandom, sid: string): Account {
  return hostAccount("service", `${random.pick(["WEB", "API", "MAIL"])}-${sid.slice(-4)}`, sid);
}

function hostAccount(kind: "machine" | "service", host: string, sid: string): Account {
  return {
    kind,
    samName: `CORP\\${host}$`,
    displayName: host,
    principal: `${host.toLowerCase()}.${domainName}`,
    distinguishedName: [["CN", host], ["OU", "Computers"], ...domainContext],
    sid,
  };
}
