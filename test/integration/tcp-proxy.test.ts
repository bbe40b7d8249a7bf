import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { TcpProxy } from "./support/tcp-proxy.ts";

suite("the TCP proxy", { timeout: 30_000 }, () => {
  let echo: Server;
  let proxy: TcpProxy;
  const clients: Socket[] = [];

  before(async () => {
    echo = createServer((socket) => {
      socket.on("error", () => undefined);
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
    assert.equal(await Promise.race([answer, other, sleep(200, "silence")]), "silence");
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

  test("delays each way without reducing the bandwidth", async () => {
    await proxy.setMode({ delayMs: 100 });
    const client = await open();
    const startedAt = Date.now();
    for (let part = 0; part < 30; part += 1) {
      client.write("part");
      await sleep(10);
    }
    let received = 0;
    for await (const chunk of client as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received === 120) break;
    }
    const elapsedMs = Date.now() - startedAt;
    assert.ok(elapsedMs >= 450, `took ${elapsedMs} ms`);
    assert.ok(elapsedMs < 2_500, `took ${elapsedMs} ms`);
  });
});

async function ask(client: Socket, text: string): Promise<string> {
  client.write(text);
  const [answer] = (await once(client, "data")) as [Buffer];
  return answer.toString();
}
