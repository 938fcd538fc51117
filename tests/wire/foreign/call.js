// Calls every operation of a gateway with the npm package "soap" and prints what came back as JSON.
// Arguments: folder with node_modules, WSDL file, endpoint, SOAP version, CA, certificate, key, envelope file.
const [, , modules, wsdl, endpoint, version, ca, cert, key, file] = process.argv;
const fs = require('fs');
const soap = require(require.resolve('soap', { paths: [modules] }));
(async () => {
  const client = await soap.createClientAsync(wsdl, { forceSoap12Headers: version === '1.2' }, endpoint);
  client.setSecurity(new soap.ClientSSLSecurity(fs.readFileSync(key), fs.readFileSync(cert), fs.readFileSync(ca)));
  const found = {};
  const [answer] = await client.DeliverAsync({ Envelope: fs.readFileSync(file).toString('base64') });
  found.receipt = Buffer.from(answer.Receipt, 'base64').toString();
  const [ping] = await client.PingAsync({});
  found.country = ping.Country;
  found.types = ping.DocumentType;
  const [status] = await client.GetMessageStatusAsync({ MessageId: 'urn:uuid:1' });
  found.known = status.Known;
  found.verdict = status.Verdict;
  try {
    await client.DeliverAsync({ Envelope: Buffer.from('raise INVALID_DOCUMENT').toString('base64') });
  } catch (error) {
    const fault = error.root.Envelope.Body.Fault;
    const detail = (fault.detail || fault.Detail).GatewayFault;
    found.fault = { code: detail.Code, retryable: detail.Retryable, rule: detail.Finding.Rule };
  }
  console.log(JSON.stringify(found));
})().catch((error) => { console.error(error.message); process.exit(1); });
