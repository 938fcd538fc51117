<?php
// Calls every operation of a gateway with PHP's own SoapClient and prints what came back as JSON.
// Arguments: WSDL address, SOAP version (1.1 or 1.2), CA, client certificate, client key, envelope file.
[$self, $wsdl, $version, $ca, $cert, $key, $file] = $argv;
$context = stream_context_create(['ssl' => [
    'cafile' => $ca, 'local_cert' => $cert, 'local_pk' => $key,
    'verify_peer' => true, 'verify_peer_name' => true,
]]);
$client = new SoapClient($wsdl, [
    'soap_version' => $version === '1.1' ? SOAP_1_1 : SOAP_1_2,
    'stream_context' => $context, 'cache_wsdl' => WSDL_CACHE_NONE, 'exceptions' => true,
]);
$found = [];
$found['receipt'] = $client->Deliver(['Envelope' => file_get_contents($file)])->Receipt;
$ping = $client->Ping([]);
$found['country'] = $ping->Country;
$found['types'] = $ping->DocumentType;
$status = $client->GetMessageStatus(['MessageId' => 'urn:uuid:1']);
$found['known'] = $status->Known;
$found['verdict'] = $status->Verdict;
try {
    $client->Deliver(['Envelope' => 'raise INVALID_DOCUMENT']);
} catch (SoapFault $fault) {
    // Without a class map PHP leaves the members of a fault detail as text.
    $detail = $fault->detail->GatewayFault;
    $found['fault'] = ['code' => $detail->Code, 'retryable' => $detail->Retryable === 'true', 'rule' => $detail->Finding->Rule];
}
echo json_encode($found);
