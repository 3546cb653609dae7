// One upload by the official client, as the job on standard input says; one line of JSON on standard output.
const { readFileSync } = require("node:fs")
const tus = require("tus-js-client")

const job = JSON.parse(readFileSync(0, "utf8"))
const asked = []
const upload = new tus.Upload(readFileSync(job.file), {
  endpoint: job.endpoint,
  uploadUrl: job.uploadUrl,
  headers: job.headers,
  metadata: job.metadata,
  chunkSize: job.chunkSize,
  uploadDataDuringCreation: job.withCreation,
  retryDelays: [0, 100, 200, 400, 800, 1600],
  onAfterResponse: (request, response) => asked.push([request.getMethod(), response.getStatus()]),
  onChunkComplete: (_size, accepted) => {
    if (job.terminateAt && accepted >= job.terminateAt) upload.abort(true).then(() => say({ terminated: upload.url }))
    if (job.pauseAt && accepted >= job.pauseAt) upload.abort().then(() => say({ paused: upload.url, accepted }))
  },
  onSuccess: () => say({ finished: upload.url }),
  onError: (error) => say({ error: String(error) }),
})

function say(found) {
  console.log(JSON.stringify({ ...found, asked }))
  process.exit(0)
}

upload.start()
