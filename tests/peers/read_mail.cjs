// mailparser: a message in base64 a line comes in, a line of JSON with what it says goes out.
"use strict";

const { createHash } = require("node:crypto");
const path = require("node:path");
const { createInterface } = require("node:readline");
const { simpleParser } = require(path.join(__dirname, "../../.peers/mailparser/node_modules/mailparser"));

const OPTIONS = { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true, keepCidLinks: true };

const displayNames = (field) => (field ? field.value.flatMap(({ name, group }) => group ? group.map((each) => each.name) : [name]) : []);

async function readMail(octets) {
    const mail = await simpleParser(octets, OPTIONS);
    const files = mail.attachments.map(({ filename, content }) => [
        filename ?? "", createHash("sha256").update(content).digest("hex"),
    ]);
    return {
        subject: mail.subject ?? "",
        from_name: displayNames(mail.from)[0] ?? "",
        to_names: displayNames(mail.to),
        text: mail.text ?? "",
        html: mail.html || "",
        files,
    };
}

async function readAll() {
    for await (const line of createInterface({ input: process.stdin })) {
        const seen = await readMail(Buffer.from(line, "base64")).catch((error) => ({ error: String(error) }));
        console.log(JSON.stringify(seen));
    }
}

readAll();
