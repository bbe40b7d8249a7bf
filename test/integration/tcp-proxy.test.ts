import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import { until } from "../support/until.ts";
import { TcpProxy } from "./support/tcp-proxy.ts";

suite("the TCP proxy", () => {
  let echo: Server;
  let proxy: TcpProxy;
  /** Parts of the test with a delay that the server has got. */
  let served = 0;
  const clients: Socket[] = [];

  before(async () => {
    echo = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (chunk) => (served += partsIn(chunk)));
      socket.pipe(socket);
    });
    echo.listen({ host: "127.0.0.1", port: 0 });
    await once(echo, "listening");
  });
  after(() => {
    echo.close();
  });
  beforeEach(async () => {
    proxy = await TcpProxy.start(`127.0.0.1:${(echo.address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await proxy.close();
  });

  const open = async (): Promise<Socket> => {
    const [host = "", port] = proxy.address.split(":");
    const client = connect({ host, port: Number(port) });
    clients.push(client);
    await once(client, "connect");
    return client;
  };
  test("passes data both ways", async () => {
    assert.equal(await ask(await open(), "ping"), "ping");
  });

  test("refuses new connections, resets open ones, and takes new ones again", async () => {
    const client = await open();
    assert.equal(await ask(client, "ping"), "ping");
    const reset = once(client, "error");
    await proxy.setMode("refuse");
    assert.equal(((await reset) as [NodeJS.ErrnoException])[0].code, "ECONNRESET");
    await assert.rejects(open(), { code: "ECONNREFUSED" });
    await proxy.setMode("pass");
    assert.equal(await ask(await open(), "again"), "again");
  });

  test("holds data back as a black hole and forwards it afterwards", async () => {
    const client = await open();
    await proxy.setMode("black-hole");
    const answer = ask(client, "held");
    const other = ask(await open(), "also held");
    const silence = askDirectly(20).then(() => "silence");
    assert.equal(await Promise.race([answer, other, silence]), "silence");
    await proxy.setMode("pass");
    assert.deepEqual(await Promise.all([answer, other]), ["held", "also held"]);
  });

  test("harms one connection and leaves the others alone", async () => {
    const first = await open();
    const second = await open();
    await Promise.all([ask(first, "1"), ask(second, "2")]);
    const reset = once(first, "error");
    proxy.connections[0]?.setMode("cut");
    await reset;
    assert.equal(await ask(second, "still here"), "still here");
    assert.equal(proxy.connections.length, 1);
  });

  test("delays each way without making the connection narrow", async () => {
    const delayMs = 5_000;
    await proxy.setMode({ delayMs });
    const client = await open();
    let [written, echoed] = [0, 0];
    client.on("data", (chunk: Buffer) => (echoed += partsIn(chunk)));
    const startedAt = Date.now();
    const writePart = async (): Promise<boolean> => {
      client.write("part");
      written += 1;
      await askDirectly(1); // so that parts come to the proxy one by one
      return echoed > 0;
    };
    await until(writePart, "the first part is back");
    const elapsedMs = Date.now() - startedAt;
    assert.ok(elapsedMs >= 2 * delayMs - 10, `took ${elapsedMs} ms`);
    // Where each part had to wait for the one before it, only two would have reached the server by now.
    assert.ok(served > 2, `${served} parts of ${written} have reached the server`);
    await until(() => echoed === written, "all parts are back");
  });

  /** Asks the server this many times without the proxy. */
  async function askDirectly(times: number): Promise<void> {
    const client = connect({ host: "127.0.0.1", port: (echo.address() as AddressInfo).port });
    clients.push(client);
    await once(client, "connect");
    for (let time = 0; time < times; time += 1) await ask(client, "probe");
    client.end();
  }
});

function partsIn(chunk: Buffer): number {
  return chunk.toString().split("part").length - 1;
}

async function ask(client: Socket, text: string): Promise<string> {
  client.write(text);
  const [answer] = (await once(client, "data")) as [Buffer];
  return answer.toString();
}
