// The status page in Debian's Chromium: what it shows, by real faults, and what hostile data cannot do to it.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import type { Status } from "../../src/health/status.ts";
import type { NativeExitSimulator } from "../../src/native/addon.ts";
import { faintTexts, type Misdeeds, startBrowser, watch } from "../support/browser.ts";
import { ask } from "../support/http-client.ts";
import { cliMain } from "../support/run-cli.ts";
import {
  flushed,
  journalDirectory,
  openSmall,
  record,
  smallEvent,
} from "../support/small-journal.ts";
import { patienceMs, until } from "../support/until.ts";
import type { RabbitmqCluster } from "./support/broker-provider.ts";
import { startRabbitmq } from "./support/brokers.ts";
import { freePorts } from "./support/free-ports.ts";

const token = "a token of the test";

/** Names and a template that a requester may choose, and what the page makes of them. */
const hostile = {
  requester: 'CORP\\<img src="/x" onerror="alert(1)">',
  subject: "CN=\u202Egnp.exe</td></table><script>alert(2)</script>\u0085",
  template: "<b onclick=alert(3)>User</b>\u2066\u0007",
};
const shown = {
  requester: hostile.requester,
  subject: "CN=·gnp.exe</td></table><script>alert(2)</script>·",
  template: "<b onclick=alert(3)>User</b>··",
};

suite("the status page", () => {
  const cleanUps: (() => unknown)[] = [];
  const context = { after: (clean: () => unknown) => void cleanUps.unshift(clean) };
  let rabbitmq: RabbitmqCluster;
  let simulator: NativeExitSimulator;
  let browser: Browser;
  let page: Page;
  let misdeeds: Misdeeds;
  let service: ChildProcess;
  let serviceErrors = "";
  let config = "";
  let volume = "";
  let port = 0;
  let lastId = 0;

  /**
   * Starts the service with its state and its files on a volume of 16 MiB, which it alone sees: `unshare` becomes the service, and with
   * it the volume is gone.
   */
  function startService(): void {
    const command = 'mount -t tmpfs -o size=16m tmpfs "$1" && exec "$2" "$3" run --config "$4"';
    const words = [volume, process.execPath, cliMain, config];
    const isRoot = process.getuid?.() === 0;
    const flags = [...(isRoot ? [] : ["--user", "--map-root-user"]), "--mount"];
    service = spawn("unshare", [...flags, "sh", "-c", command, "sh", ...words], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    serviceErrors = "";
    service.stderr?.setEncoding("utf8").on("data", (text: string) => (serviceErrors += text));
  }

  function configure(http: object): void {
    const exchange = "status-page";
    const topology = { quorumQueues: [{ name: exchange }] };
    const retry = { retryInitialMs: 10, retryMaxMs: 200 };
    const text = JSON.stringify({
      journal: { directory: "journal" },
      state: { directory: "volume/state" },
      log: { level: "fatal" },
      health: { backlogSeconds: 5 },
      http: { listen: `127.0.0.1:${port}`, ...http },
      sinks: [
        { name: "files", url: "file:volume/events", ...retry },
        {
          name: "rabbitmq",
          url: `amqp://guest@${new URL(rabbitmq.urls[0] ?? "").host}/?exchange=${exchange}`,
          topology,
          connectTimeoutMs: 2000,
          ...retry,
        },
      ],
    });
    writeFileSync(config, text);
  }

  async function endService(): Promise<void> {
    if (service.exitCode !== null || service.signalCode !== null) return;
    const ended = new Promise((resolve) => service.once("exit", resolve));
    service.kill("SIGKILL");
    await ended;
  }

  const assertRunning = (): void =>
    assert.ok(service.exitCode === null, `the service has ended: ${serviceErrors}`);

  async function status(): Promise<Status> {
    const headers = { authorization: `Bearer ${token}` };
    return JSON.parse((await ask("/status", { port, headers })).body) as Status;
  }

  /** Records events, and waits until every sink has acknowledged everything. */
  async function publish(count: number): Promise<void> {
    record(simulator, lastId + 1, (lastId += count));
    await flushed(simulator);
    await until(
      async () => (await status()).sinks.every(({ backlog }) => backlog?.records === 0),
      "every sink has acknowledged everything",
      { everyMs: 100, mayThrow: true, giveUp: assertRunning },
    );
  }

  const stateText = () => page.locator(".state > h2 .badge").textContent({ timeout: patienceMs });

  async function seesState(state: string, reason?: string): Promise<void> {
    await until(
      async () => {
        const text = await page.locator(".state").textContent({ timeout: patienceMs });
        return (await stateText()) === state && (reason === undefined || text?.includes(reason));
      },
      `the page shows ${state} ${reason ?? ""}`,
      { everyMs: 100, state: () => misdeeds },
    );
  }

  /** Every text has enough contrast, in both schemes. */
  async function assertReadable(): Promise<void> {
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await faintTexts(page), [], colorScheme);
    }
  }

  before(async () => {
    const journal = journalDirectory(context);
    volume = join(dirname(journal), "volume");
    mkdirSync(volume);
    config = join(dirname(journal), "certwire.json");
    simulator = openSmall(journal);
    context.after(() => simulator.close());
    [port = 0] = await freePorts(1);
    rabbitmq = await startRabbitmq({ faults: true });
    context.after(() => rabbitmq.stop());
    configure({});
    startService();
    context.after(endService);
    browser = await startBrowser();
    context.after(() => browser.close());
    page = await browser.newPage({ viewport: { width: 1366, height: 900 } });
    misdeeds = await watch(page, `http://127.0.0.1:${port}`);
    await publish(300);
    await page.goto(`http://127.0.0.1:${port}/`);
  });

  after(async () => {
    for (const clean of cleanUps) await clean();
  });

  test("its values are those of /status", async () => {
    await seesState("ok");
    await until(
      async () => {
        const found = await status();
        const values = (label: string, kind: "box" | "row") =>
          page
            .locator(
              kind === "box"
                ? `article[aria-label="${label}"] data`
                : `tr:has(th bdi:text-is("${label}")) data`,
            )
            .evaluateAll((all) => all.map((each) => each.getAttribute("value")));
        const journal = await values("Journal", "box");
        const { bytes, capacityBytes, segments, newest } = found.journal ?? {};
        assert.deepEqual(
          [journal[0], journal[1], journal[2], journal[4]],
          [bytes, capacityBytes, segments, newest?.sequence].map(String),
        );
        for (const { name, backlog, counters, checkpoint, deadLetters } of found.sinks) {
          const box = await values(`Sink ${name}`, "box");
          assert.deepEqual(
            box.slice(-2),
            [backlog?.records, counters?.acknowledgedEvents].map(String),
          );
          const rows = await values(name, "row");
          const place = [checkpoint?.sequence, backlog?.records, backlog?.bytes];
          assert.deepEqual(rows, [...place, 0, 0, deadLetters?.bytes].map(String));
        }
        assert.match((await page.locator("footer").textContent()) ?? "", /Certwire \d+\.\d+\.\d+/);
        return true;
      },
      "the page has the values of /status",
      { everyMs: 500, mayThrow: true },
    );
    const rate = page.locator('article[aria-label="Sink files"] dd').first();
    await until(async () => /events\/s/.test((await rate.textContent()) ?? ""), "a rate is there");
  });

  test("hostile names change nothing, and are sent only when a person asks for them", async () => {
    simulator.notify({
      ...smallEvent((lastId += 1)),
      request: { RequestID: { long: lastId }, RequesterName: { string: hostile.requester } },
      certificate: {
        DistinguishedName: { string: hostile.subject },
        CertificateTemplate: { string: hostile.template },
      },
    });
    const row = page.locator(`.events tr:has(td:text-is("${lastId}"))`);
    const cells = () => row.locator("td").allTextContents();
    await until(async () => (await cells()).length > 0, "the event is there", { everyMs: 100 });
    assert.deepEqual((await cells()).slice(3, 4), [shown.template]);
    assert.ok(!(await page.content()).includes("gnp.exe"), "a name has reached the browser");

    const button = page.getByRole("button", { name: "Show names" });
    await button.focus();
    await page.keyboard.press("Enter");
    await until(async () => (await cells()).length === 8, "the names are there", { everyMs: 100 });
    assert.deepEqual((await cells()).slice(3, 6), [shown.requester, shown.subject, shown.template]);
    assert.equal(await page.locator(".events img, .events b, .events script").count(), 0);
    const hide = page.getByRole("button", { name: "Hide names" });
    assert.equal(await hide.getAttribute("aria-pressed"), "true");
    await hide.press("Space");
    await until(async () => (await cells()).length === 6, "the names are gone", { everyMs: 100 });
    assert.ok(!(await page.content()).includes("gnp.exe"));
  });

  test("a killed broker is seen with what to do, and gone when it is back", async () => {
    await rabbitmq.kill9(1);
    // No event is needed to find that out.
    await seesState("failing", "sink-unreachable");
    const sink = (await status()).sinks.find(({ name }) => name === "rabbitmq");
    assert.deepEqual([sink?.connected, sink?.backlog?.records], [false, 0]);
    record(simulator, lastId + 1, (lastId += 5));
    const reason = page.locator(".reasons > li", { hasText: "sink-unreachable" });
    assert.match(
      (await reason.textContent()) ?? "",
      /rabbitmq.*for (less than 1 s|\d).*What to do:/s,
    );
    const link = reason.getByRole("link", { name: "Runbook CertwireSinkDown" });
    const opened = page.context().waitForEvent("page");
    await link.press("Enter");
    const runbook = await opened;
    await runbook.waitForLoadState();
    assert.match((await runbook.textContent("body")) ?? "", /^# CertwireSinkDown/);
    await runbook.close();
    assert.match(
      (await page.locator('[role="status"].hidden').textContent()) ?? "",
      /^State: failing/,
    );
    await assertReadable();
    await rabbitmq.restart(1);
    await seesState("ok");
  });

  test("a broker that hangs is seen before it is an alarm", async () => {
    await rabbitmq.pause(1);
    try {
      record(simulator, lastId + 1, (lastId += 5));
      await seesState("degraded", "sink-behind");
      await assertReadable();
    } finally {
      await rabbitmq.resume(1);
    }
    await seesState("ok");
  });

  test("a full disk is seen, and gone when there is space", async () => {
    // The service's own view of its volume.
    const filler = `/proc/${service.pid}/root${volume}/filler`;
    assert.throws(() => writeFileSync(filler, Buffer.alloc(2 ** 25)), /ENOSPC/);
    record(simulator, lastId + 1, (lastId += 20));
    await seesState("failing", "ENOSPC");
    rmSync(filler);
    await publish(1);
    await seesState("ok");
  });

  test("a service that was killed is seen, and the page goes on with the next one", async () => {
    await endService();
    const connection = page.locator(".connection");
    await until(
      async () => (await connection.textContent())?.startsWith("Not live"),
      "the page is not live",
      { everyMs: 100 },
    );
    startService();
    await until(async () => (await connection.textContent()) === "Live", "the page is live", {
      everyMs: 100,
    });
    await seesState("ok");
  });

  test("everything is reached and used with the keyboard alone, and what has the focus is seen", async () => {
    await page.reload();
    await seesState("ok");
    const reached: string[] = [];
    const outlines = new Set<string>();
    for (let presses = 0; presses < 30; presses += 1) {
      await page.keyboard.press("Tab");
      const [name = "", outline = ""] = await page.evaluate<string[]>(`(() => {
        const { activeElement: element } = document;
        if (element === document.body) return [];
        const name = element.getAttribute("aria-label") ?? element.textContent;
        return [name.trim(), getComputedStyle(element).outlineStyle];
      })()`);
      if (name === "") break;
      reached.push(name);
      outlines.add(outline);
    }
    assert.deepEqual(reached, [
      "Skip to the content",
      "As a table",
      "As a table",
      "Places of the sinks",
      "All segments as a table",
      "Show names",
      "Latest events",
      "Gaps and dead letters",
      "JSON",
      "Metrics",
    ]);
    assert.deepEqual([...outlines], ["solid"]);
    await page.getByText("All segments as a table").press("Enter");
    const segments = page.getByRole("region", { name: "Segments", exact: true });
    assert.match((await segments.textContent()) ?? "", /e\d{10}-s\d{6}\.cej/);
  });

  test("screen readers find landmarks, headings and named tables", async () => {
    const tree = await page.locator("body").ariaSnapshot();
    for (const part of ["banner", "main", "contentinfo", 'heading "Latest events"']) {
      assert.ok(tree.includes(part), `${part} in ${tree}`);
    }
    const nameless = await page.locator("table:not(:has(caption))").count();
    assert.equal(nameless, 0);
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
  });

  test("every text can be read in both schemes, and everything fits a screen and a phone", async () => {
    for (const width of [1366, 390]) {
      await page.setViewportSize({ width, height: 844 });
      await assertReadable();
      const isTooWide = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
      assert.equal(isTooWide, false, `${width} px`);
    }
    await page.setViewportSize({ width: 1366, height: 900 });
  });

  test("clients that do not read hold up neither events nor the page", async () => {
    const sockets = Array.from({ length: 200 }, (): Socket => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.pause();
      socket.write("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
      return socket;
    });
    try {
      record(simulator, lastId + 1, lastId + 2000);
      lastId += 2000;
      await flushed(simulator);
      const acknowledged = page.locator('article[aria-label="Sink files"] data').last();
      const seen = Number(await acknowledged.getAttribute("value"));
      await until(
        async () => Number(await acknowledged.getAttribute("value")) >= seen + 2000,
        "the page shows that all are acknowledged",
        { everyMs: 200 },
      );
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  test("an endpoint with a token shows nothing before it is given, and keeps it nowhere", async () => {
    await endService();
    const tokenFile = join(dirname(config), "token.txt");
    writeFileSync(tokenFile, token);
    configure({ token: { file: "token.txt" } });
    startService();
    const input = page.getByLabel("Token, from the file");
    await until(() => input.isVisible(), "the page asks for the token", { everyMs: 100 });
    assert.equal(await page.locator(".sections, footer").count(), 0);
    await input.fill("another one");
    await input.press("Enter");
    await until(
      async () => (await page.getByRole("alert").allTextContents()).join().includes("rejected"),
      "the wrong token is refused",
      { everyMs: 100 },
    );
    await input.fill(token);
    await input.press("Enter");
    await seesState("ok");
    const kept = await page.evaluate<string>(
      "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])",
    );
    assert.equal(kept, JSON.stringify([{}, {}, "", `http://127.0.0.1:${port}/`]));
    // A token that is not valid any more ends the stream too.
    writeFileSync(tokenFile, "a new one");
    await until(() => input.isVisible(), "the page asks for the new token", { everyMs: 100 });
  });

  test("all this time nothing was loaded from elsewhere, and the policy was never broken", async () => {
    assert.deepEqual(misdeeds, { foreignRequests: [], policyViolations: [], errors: [] });
    // That it would have been noticed.
    await page.evaluate(`(() => {
      document.body.append(Object.assign(document.createElement("img"), { src: "http://192.0.2.1/" }));
    })()`);
    await until(() => misdeeds.policyViolations.length > 0, "the policy holds");
  });
});
