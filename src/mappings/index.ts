/** Events in the vocabularies of SIEMs: pure functions without disk, network or addon. */
export { type EcsEvent, toEcs } from "./ecs.ts";
export { type OcsfEvent, type OcsfFingerprint, type OcsfSan, toOcsf } from "./ocsf.ts";
export { type SplunkCimEvent, toSplunkCim } from "./splunk-cim.ts";
