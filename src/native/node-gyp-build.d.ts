declare module "node-gyp-build" {
  /** Loads the addon of this platform from the directory of a package. */
  export default function load(packageDirectory: string): unknown;
}
