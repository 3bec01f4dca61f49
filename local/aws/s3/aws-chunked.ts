/** Takes the frames of `content-encoding: aws-chunked` off: `size[;signature]CRLF data CRLF … 0 CRLF trailers`. */
export async function* decodeAwsChunked(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
	let buffer: Buffer = Buffer.alloc(0);
	/** Bytes of data still to come in this frame; undefined: a size line comes next. */
	let left: number | undefined;
	for await (const chunk of body) {
		buffer = Buffer.concat([buffer, chunk]);
		for (;;) {
			if (left === undefined) {
				const end = buffer.indexOf("\r\n");
				if (end < 0) break;
				left = Number.parseInt(buffer.subarray(0, end).toString("latin1"), 16);
				if (Number.isNaN(left)) throw new Error("The aws-chunked body is malformed.");
				buffer = buffer.subarray(end + 2);
				// After the last frame only trailers come: checksums of what was received.
				if (left === 0) return;
			}
			if (left > 0) {
				const part = buffer.subarray(0, left);
				if (part.length > 0) yield part;
				left -= part.length;
				buffer = buffer.subarray(part.length);
				if (left > 0) break;
			}
			if (buffer.length < 2) break;
			buffer = buffer.subarray(2);
			left = undefined;
		}
	}
	throw new Error("The aws-chunked body ended early.");
}
