// ping.mjs LINK: a real Telegram client (TDLib) asks a data centre for resPQ through the proxy of the link. Exit code 0
// and the seconds it took, or 1 and the error.
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const require = createRequire(new URL('../../target/e2e/node/', import.meta.url))
const tdl = require('tdl')
const { getTdjson } = require('prebuilt-tdlib')

const query = new URL(process.argv[2]).searchParams
const proxy = {
  _: 'proxy',
  server: query.get('server'),
  port: Number(query.get('port')),
  type: { _: 'proxyTypeMtproto', secret: query.get('secret') }
}

const folder = mkdtempSync(join(tmpdir(), 'tdlib-'))
tdl.configure({ tdjson: getTdjson(), verbosityLevel: Number(process.env.TDLIB_VERBOSITY ?? 0) })
const client = tdl.createBareClient()
client.on('error', () => {})
let code = 1
try {
  // Identifier and hash are only for a login, which never happens here.
  await client.invoke({
    _: 'setTdlibParameters',
    database_directory: folder,
    files_directory: folder,
    api_id: 1,
    api_hash: '0'.repeat(32),
    system_language_code: 'en',
    device_model: 'test',
    application_version: '1'
  })
  const { seconds } = await client.invoke({ _: 'pingProxy', proxy })
  console.log(seconds)
  code = 0
} catch (error) {
  console.log(error.message ?? error)
}
await client.close()
rmSync(folder, { recursive: true, force: true })
process.exit(code)
