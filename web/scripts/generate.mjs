// Generates the types of the API from its OpenAPI document: npm run generate [-- path/to/openapi.json]
import { readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const source = process.argv[2] ?? '../openapi.json';
const document = JSON.parse(readFileSync(source, 'utf8'));
const types = await openapiTS(document, { alphabetize: true });
const header = '// Generated from openapi.json by "npm run generate". Do not edit.\n\n';
writeFileSync(new URL('../src/api/schema.d.ts', import.meta.url), header + astToString(types));
