// Calls a gateway as a national system would, with the npm package "soap", and prints what came back as JSON.
// Arguments: folder with node_modules, WSDL file, SOAP version, how to show the key (http or wsse), key, serial.
const [, , modules, wsdl, version, way, key, serial] = process.argv;
const soap = require(require.resolve('soap', { paths: [modules] }));
(async () => {
  const client = await soap.createClientAsync(wsdl, { forceSoap12Headers: version === '1.2' });
  if (way === 'http') {
    client.setSecurity(new soap.BearerSecurity(key));
  } else {
    client.setSecurity(new soap.WSSecurity(key.split('_')[1], key, { passwordType: 'PasswordText', mustUnderstand: 1 }));
  }
  const found = {};
  const many = (value) => (Array.isArray(value) ? value : [value]);
  const one = { IssuingCountry: 'ZM', SerialNumber: serial };
  const [certificate] = await client.GetCertificateAsync(one);
  found.state = certificate.State;
  found.items = many(certificate.Item).length;
  found.steps = many((await client.GetTimelineAsync(one))[0].Step).length;
  found.found = many((await client.SearchCertificatesAsync({ Serial: serial }))[0].Certificate)[0].SerialNumber;
  found.peers = many((await client.ListPeersAsync({}))[0].Peer)[0].Identifier;
  try {
    await client.DryRunAsync({ CanonicalJson: '{"agreement": "COMESA"}', Language: 'fr' });
  } catch (error) {
    const fault = error.root.Envelope.Body.Fault;
    const detail = (fault.detail || fault.Detail).NationalFault;
    found.fault = { code: detail.Code, path: many(detail.Finding)[0].Path };
  }
  console.log(JSON.stringify(found));
})().catch((error) => { console.error(error.message); process.exit(1); });
