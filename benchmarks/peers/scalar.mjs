// Scalar's mock server is a library: node scalar.mjs DOCUMENT PORT
import { readFile } from 'node:fs/promises';
import { serve } from '@hono/node-server';
import { createMockServer } from '@scalar/mock-server';

const [document, port] = process.argv.slice(2);
const { fetch } = await createMockServer({ document: JSON.parse(await readFile(document, 'utf8')) });
serve({ fetch, hostname: '127.0.0.1', port: Number(port) });
