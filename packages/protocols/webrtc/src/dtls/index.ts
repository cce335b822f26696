export { type CertificateOptions, type DtlsCertificate, makeCertificate } from './certificate.js';
export { DtlsEndpoint, type DtlsKeys, type DtlsOptions } from './endpoint.js';
export { isDtls } from './record.js';
