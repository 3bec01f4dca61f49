/** The control plane in a process of its own: it can be killed and started again like any other part. */
import { jsonLog } from "../../shared/log.ts";
import { serveParent } from "../stack/child-main.ts";
import { type ControlPlaneOptions, startControlPlane } from "./control-plane.ts";

const log = jsonLog((line) => process.stderr.write(`${line}\n`), { service: "local" });

serveParent(async (options: ControlPlaneOptions) => {
	const { url, port, stop, ...methods } = await startControlPlane(options, log);
	return { info: { url, port }, methods: methods as never, stop };
});
