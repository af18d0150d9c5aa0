// nodemailer's pool: always twice as many messages waiting as it has connections.
"use strict";

const { readFileSync } = require("node:fs");
const path = require("node:path");
const nodemailer = require(path.join(__dirname, "../../.peers/nodemailer/node_modules/nodemailer"));

const SENDER = "sender@example.test", RECIPIENT = "recipient@example.test", EHLO_NAME = "client.example.test";
const [port, connections, count] = process.argv.slice(2, 5).map(Number);

async function sendAll() {
    const raw = readFileSync(process.argv[5]);
    const pool = nodemailer.createTransport({
        pool: true, maxConnections: connections, maxMessages: Infinity,
        host: "127.0.0.1", port, secure: false, ignoreTLS: true, name: EHLO_NAME,
    });
    let left = count, taken = 0;
    const keepSending = async () => {
        while (left-- > 0) {
            const { accepted } = await pool.sendMail({ envelope: { from: SENDER, to: [RECIPIENT] }, raw });
            taken += accepted.length;
        }
    };
    await Promise.all(Array.from({ length: 2 * connections }, keepSending));
    pool.close();
    return taken;
}

const began = process.hrtime.bigint(), before = process.cpuUsage();
sendAll().then((messages) => {
    const { user, system } = process.cpuUsage(before);
    const seconds = Number(process.hrtime.bigint() - began) / 1e9, peak = process.resourceUsage().maxRSS * 1024;
    console.log(JSON.stringify({ messages, seconds, cpu: (user + system) / 1e6, peak }));
});
