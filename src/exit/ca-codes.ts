/** The event bits of Notify, EXITEVENT_* of certexit.h; `ExitEvent` in addon/collect has the same. */
export const exitEvents = {
  issued: 0x1,
  pending: 0x2,
  denied: 0x4,
  revoked: 0x8,
  retrievePending: 0x10,
  crlIssued: 0x20,
  shutdown: 0x40,
  /** The CA never sends this one: the exit module records it when it is initialized. */
  startup: 0x80,
  imported: 0x200,
} as const;

/** State of a row in the request table, DB_DISP_* of certsrv.h. */
export const dispositions = {
  active: 8,
  pending: 9,
  foreign: 12,
  caCertificate: 15,
  caCertificateChain: 16,
  kraCertificate: 17,
  issued: 20,
  revoked: 21,
  failed: 30,
  denied: 31,
} as const;
