import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { closeServer, httpServer, listen } from "../dynamodb/upstream.ts";
import { decodeAwsChunked } from "./aws-chunked.ts";
import { BadDigest, type ObjectMeta, ObjectStore } from "./objects.ts";
import { checkPostPolicy, PolicyError } from "./post-policy.ts";

export interface S3Options {
	/** Folder of the objects. */
	dir: string;
	/** With which forms are signed. */
	secret: string;
	/** 0: a free one. */
	port?: number;
}

const xml = (value: string): string => value.replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`);

const sendError = (res: ServerResponse, status: number, code: string, message: string): void => {
	const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${xml(message)}</Message></Error>`;
	res.writeHead(status, { "content-type": "application/xml", "content-length": Buffer.byteLength(body) });
	res.end(body);
};

const objectHeaders = (meta: ObjectMeta): Record<string, string> => ({
	etag: meta.etag,
	"content-type": meta.contentType,
	"last-modified": new Date(meta.modifiedAt).toUTCString(),
	"accept-ranges": "bytes",
	...Object.fromEntries(Object.entries(meta.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
});

const metadataOf = (fields: Record<string, unknown>): Record<string, string> =>
	Object.fromEntries(
		Object.entries(fields).flatMap(([name, value]) =>
			name.toLowerCase().startsWith("x-amz-meta-")
				? [[name.slice("x-amz-meta-".length).toLowerCase(), String(value)]]
				: [],
		),
	);

/** First and last byte of a Range header, or undefined where it asks for none or for what is not there. */
const rangeOf = (header: string | undefined, size: number): { start: number; end: number } | undefined => {
	const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
	if (!match || (match[1] === "" && match[2] === "")) return undefined;
	if (match[1] === "") return { start: Math.max(0, size - Number(match[2])), end: size - 1 };
	return { start: Number(match[1]), end: match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1) };
};

/**
 * As much of S3 as the project uses: buckets, objects (put, get with ranges, head, delete) and forms with a signed policy.
 * Requests are path-style; their own signatures are not checked.
 */
export const startS3Server = async (options: S3Options): Promise<{ endpoint: string; stop(): Promise<void> }> => {
	const store = new ObjectStore(options.dir);

	const postForm = async (req: IncomingMessage, res: ServerResponse, bucket: string): Promise<void> => {
		const form = await new Response(Readable.toWeb(req) as ReadableStream, {
			headers: { "content-type": String(req.headers["content-type"]) },
		}).formData();
		const fields: Record<string, string> = {};
		let file: Blob | undefined;
		for (const [name, value] of form) {
			if (typeof value === "string") fields[name.toLowerCase()] = value;
			if (name.toLowerCase() !== "file") continue;
			file = typeof value === "string" ? new Blob([value]) : value;
		}
		if (!file) throw new PolicyError(400, "InvalidArgument", "POST requires exactly one file upload per request.");
		if (!fields["key"]) throw new PolicyError(400, "InvalidArgument", "Bucket POST must contain a field named 'key'.");
		checkPostPolicy(fields, { bucket, bytes: file.size, now: Date.now(), secret: options.secret });
		const meta = await store.put(bucket, fields["key"], Readable.fromWeb(file.stream() as never), {
			contentType: fields["content-type"] ?? "binary/octet-stream",
			metadata: metadataOf(fields),
			sha256Base64: fields["x-amz-checksum-sha256"],
		});
		const status = { "200": 200, "201": 201 }[fields["success_action_status"] ?? ""] ?? 204;
		res.writeHead(status, { etag: meta.etag });
		res.end();
	};

	const putObject = async (req: IncomingMessage, res: ServerResponse, bucket: string, key: string): Promise<void> => {
		const encodings = String(req.headers["content-encoding"] ?? "").split(",");
		const chunked =
			encodings.includes("aws-chunked") || String(req.headers["x-amz-content-sha256"]).startsWith("STREAMING-");
		const checksum = req.headers["x-amz-checksum-sha256"];
		const meta = await store.put(bucket, key, chunked ? decodeAwsChunked(req) : req, {
			contentType: req.headers["content-type"] ?? "binary/octet-stream",
			metadata: metadataOf(req.headers),
			sha256Base64: checksum === undefined ? undefined : String(checksum),
		});
		res.writeHead(200, { etag: meta.etag });
		res.end();
	};

	const getObject = async (req: IncomingMessage, res: ServerResponse, bucket: string, key: string): Promise<void> => {
		const meta = await store.head(bucket, key);
		if (!meta) return sendError(res, 404, "NoSuchKey", "The specified key does not exist.");
		const range = rangeOf(req.headers.range, meta.size);
		if (range && (range.start > range.end || range.start >= meta.size)) {
			return sendError(res, 416, "InvalidRange", "The requested range is not satisfiable");
		}
		const length = range ? range.end - range.start + 1 : meta.size;
		res.writeHead(range ? 206 : 200, {
			...objectHeaders(meta),
			"content-length": length,
			...(range ? { "content-range": `bytes ${range.start}-${range.end}/${meta.size}` } : {}),
		});
		if (req.method === "HEAD") {
			res.end();
			return;
		}
		await pipeline(store.read(bucket, key, range), res);
	};

	const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
		const path = new URL(req.url ?? "/", "http://s3").pathname;
		const [bucket = "", ...rest] = path.slice(1).split("/").map(decodeURIComponent);
		const key = rest.join("/");
		if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
			return sendError(res, 400, "InvalidBucketName", "The specified bucket is not valid.");
		}
		if (key === "" && req.method === "PUT") {
			if (!(await store.createBucket(bucket))) {
				return sendError(res, 409, "BucketAlreadyOwnedByYou", "The bucket exists already and is yours.");
			}
			res.writeHead(200, { location: `/${bucket}` });
			res.end();
			return;
		}
		if (!(await store.hasBucket(bucket)))
			return sendError(res, 404, "NoSuchBucket", "The specified bucket does not exist");
		const onBucket: Record<string, () => Promise<void> | void> = {
			POST: () => postForm(req, res, bucket),
			HEAD: () => void res.writeHead(200).end(),
		};
		const onObject: Record<string, () => Promise<void> | void> = {
			PUT: () => putObject(req, res, bucket, key),
			GET: () => getObject(req, res, bucket, key),
			HEAD: () => getObject(req, res, bucket, key),
			DELETE: async () => {
				await store.delete(bucket, key);
				res.writeHead(204).end();
			},
		};
		const run = (key === "" ? onBucket : onObject)[req.method ?? ""];
		if (!run) return sendError(res, 501, "NotImplemented", `The emulator does not do ${req.method} here.`);
		await run();
	};

	const server = httpServer((req, res) => {
		res.setHeader("x-amz-request-id", createHash("md5").update(`${Date.now()}${req.url}`).digest("hex").slice(0, 16));
		answer(req, res).catch((error: Error) => {
			if (res.headersSent) res.destroy(error);
			else if (error instanceof PolicyError) sendError(res, error.status, error.code, error.message);
			else if (error instanceof BadDigest) sendError(res, 400, "BadDigest", error.message);
			else sendError(res, 500, "InternalError", error.message);
		});
	});
	const port = await listen(server, options.port ?? 0);
	return { endpoint: `http://127.0.0.1:${port}`, stop: () => closeServer(server) };
};
