// nodemailer's pool, which composes each message: always twice as many waiting as it has connections.
"use strict";

const { readFileSync } = require("node:fs");
const path = require("node:path");
const nodemailer = require(path.join(__dirname, "../../.peers/nodemailer/node_modules/nodemailer"));

const EHLO_NAME = "client.example.test";
const [port, connections, count] = process.argv.slice(2, 5).map(Number);

async function sendAll() {
    const letter = JSON.parse(readFileSync(process.argv[5], "utf8"));
    const attachments = [
        { filename: letter.filename, content: Buffer.from(letter.file, "base64"), contentType: "application/pdf" },
    ];
    const pool = nodemailer.createTransport({
        pool: true, maxConnections: connections, maxMessages: Infinity,
        host: "127.0.0.1", port, secure: false, ignoreTLS: true, name: EHLO_NAME,
    });
    let next = 0, taken = 0;
    const keepSending = async () => {
        while (next < count) {
            const number = next++;
            const name = `山田${number}郎`, points = (number * 37) % 10000;
            const filled = (text) => text.replaceAll("{name}", name).replaceAll("{points}", points);
            const { accepted } = await pool.sendMail({
                from: { name: letter.author, address: letter.sender },
                to: { name: `${name}様`, address: `r${number}@example.test` },
                subject: filled(letter.subject), text: filled(letter.text), attachments,
            });
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
