export { type DtlsCertificate, makeCertificate } from './certificate.js';
export { DtlsEndpoint, type DtlsKeys } from './endpoint.js';
export { isDtls } from './record.js';
