<?php
// Calls a gateway as a national system would, with PHP's own SoapClient, and prints what came back as JSON.
// Arguments: WSDL address, SOAP version (1.1 or 1.2), CA, how to show the key (http or wsse), key, serial number.
[$self, $wsdl, $version, $ca, $way, $key, $serial] = $argv;
$context = ['ssl' => ['cafile' => $ca, 'verify_peer' => true, 'verify_peer_name' => true]];
if ($way === 'http') {
    $context['http'] = ['header' => "Authorization: Bearer $key"];
}
$client = new SoapClient($wsdl, [
    'soap_version' => $version === '1.1' ? SOAP_1_1 : SOAP_1_2,
    'stream_context' => stream_context_create($context),
    'cache_wsdl' => WSDL_CACHE_NONE, 'exceptions' => true, 'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
]);
if ($way === 'wsse') {
    $wsse = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
    $text = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText';
    $name = explode('_', $key)[1];
    $block = "<w:Security xmlns:w=\"$wsse\"><w:UsernameToken><w:Username>$name</w:Username>"
        . "<w:Password Type=\"$text\">$key</w:Password></w:UsernameToken></w:Security>";
    $client->__setSoapHeaders(new SoapHeader($wsse, 'Security', new SoapVar($block, XSD_ANYXML), true));
}
$found = [];
$one = ['IssuingCountry' => 'ZM', 'SerialNumber' => $serial];
$certificate = $client->GetCertificate($one);
$found['state'] = $certificate->State;
$found['items'] = count($certificate->Item);
$found['steps'] = count($client->GetTimeline($one)->Step);
$page = $client->SearchCertificates(['Serial' => $serial]);
$found['found'] = $page->Certificate[0]->SerialNumber;
$found['peers'] = $client->ListPeers([])->Peer[0]->Identifier;
try {
    $client->DryRun(['CanonicalJson' => '{"agreement": "COMESA"}', 'Language' => 'fr']);
} catch (SoapFault $fault) {
    $detail = $fault->detail->NationalFault;
    $finding = is_array($detail->Finding) ? $detail->Finding[0] : $detail->Finding;
    $found['fault'] = ['code' => $detail->Code, 'path' => $finding->Path];
}
echo json_encode($found);
