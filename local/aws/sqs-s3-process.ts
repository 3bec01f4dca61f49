/** SQS and S3 in a process of their own. */
import { startFauxqs } from "fauxqs";
import { serveParent } from "../stack/child-main.ts";
import { listenOnLoopbackOnly } from "./loopback.ts";
import { startS3Server } from "./s3/server.ts";

export interface SqsS3Options {
	region: string;
	/** Folder in which queues and messages are kept; in memory without. */
	sqsPath?: string;
	s3Dir: string;
	/** With which forms are signed. */
	secret: string;
}
export interface SqsS3Info {
	sqsEndpoint: string;
	s3Endpoint: string;
}

serveParent(async (options: SqsS3Options) => {
	listenOnLoopbackOnly();
	const sqs = await startFauxqs({
		port: 0,
		logger: false,
		defaultRegion: options.region,
		...(options.sqsPath === undefined ? {} : { dataDir: options.sqsPath }),
	});
	const s3 = await startS3Server({ dir: options.s3Dir, secret: options.secret });
	const info: SqsS3Info = { sqsEndpoint: `http://127.0.0.1:${sqs.port}`, s3Endpoint: s3.endpoint };
	return {
		info,
		stop: async () => {
			await s3.stop();
			await sqs.stop();
		},
	};
});
