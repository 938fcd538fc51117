import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.xml.crypto.KeySelector;
import javax.xml.crypto.KeySelectorResult;
import javax.xml.crypto.dom.DOMStructure;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfo;
import javax.xml.crypto.dsig.keyinfo.KeyInfoFactory;
import javax.xml.crypto.dsig.keyinfo.X509Data;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/**
 * Signs and verifies with the JDK's own XML signatures, secure validation on.
 *
 * Usage: EcoSignatures verify FILE...
 *        EcoSignatures sign STORE.p12 METHOD (SHAPE IN OUT)...
 * SHAPE: default  (default namespace, inclusive, reference left open, as in the JDK's tutorial)
 *        both     (prefix ds, inclusive for SignedInfo and document)
 *        profile  (prefix ds, exclusive for both)
 *        names    (as profile, with subject name and issuer serial beside the certificates)
 */
public final class EcoSignatures {
    private static final XMLSignatureFactory FACTORY = XMLSignatureFactory.getInstance("DOM");

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("verify")) {
            for (int i = 1; i < arguments.length; i++) {
                System.out.println(verdict(arguments[i]));
            }
            return;
        }
        KeyStore store = KeyStore.getInstance("PKCS12");
        char[] password = "secret".toCharArray();
        store.load(new FileInputStream(arguments[1]), password);
        String alias = store.aliases().nextElement();
        Key key = store.getKey(alias, password);
        Certificate[] chain = store.getCertificateChain(alias);
        for (int i = 3; i < arguments.length; i += 3) {
            Document document = read(arguments[i + 1]);
            sign(document, key, chain, arguments[2], arguments[i]);
            try (FileOutputStream out = new FileOutputStream(arguments[i + 2])) {
                TransformerFactory.newInstance().newTransformer()
                    .transform(new DOMSource(document), new StreamResult(out));
            }
        }
    }

    /** Says "invalid" of whatever cannot be read or verified, too. */
    private static String verdict(String file) {
        try {
            return verify(read(file)) ? "valid" : "invalid";
        } catch (Exception e) {
            return "invalid";
        }
    }

    private static Document read(String file) throws Exception {
        DocumentBuilderFactory builders = DocumentBuilderFactory.newInstance();
        builders.setNamespaceAware(true);
        DocumentBuilder builder = builders.newDocumentBuilder();
        builder.setErrorHandler(null);
        return builder.parse(file);
    }

    private static void sign(
            Document document, Key key, Certificate[] chain, String method, String shape)
            throws Exception {
        boolean exclusive = shape.equals("profile") || shape.equals("names");
        String c14n =
            exclusive ? CanonicalizationMethod.EXCLUSIVE : CanonicalizationMethod.INCLUSIVE;
        List<Transform> transforms = new ArrayList<>();
        transforms.add(FACTORY.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null));
        if (!shape.equals("default")) {
            transforms.add(FACTORY.newTransform(c14n, (TransformParameterSpec) null));
        }
        Reference reference = FACTORY.newReference(
            "", FACTORY.newDigestMethod(DigestMethod.SHA256, null), transforms, null, null);
        SignedInfo info = FACTORY.newSignedInfo(
            FACTORY.newCanonicalizationMethod(c14n, (C14NMethodParameterSpec) null),
            FACTORY.newSignatureMethod(method, null),
            List.of(reference));
        KeyInfoFactory keys = FACTORY.getKeyInfoFactory();
        List<Object> content = new ArrayList<>(Arrays.asList(chain));
        if (shape.equals("names")) {
            X509Certificate leaf = (X509Certificate) chain[0];
            content.add(0, leaf.getSubjectX500Principal().getName());
            content.add(1, keys.newX509IssuerSerial(
                leaf.getIssuerX500Principal().getName(), leaf.getSerialNumber()));
        }
        X509Data data = keys.newX509Data(content);
        KeyInfo keyInfo = keys.newKeyInfo(List.of(data));
        DOMSignContext context = new DOMSignContext(key, document.getDocumentElement());
        if (!shape.equals("default")) {
            context.setDefaultNamespacePrefix("ds");
        }
        FACTORY.newXMLSignature(info, keyInfo).sign(context);
    }

    private static boolean verify(Document document) throws Exception {
        NodeList found = document.getElementsByTagNameNS(XMLSignature.XMLNS, "Signature");
        DOMValidateContext context =
            new DOMValidateContext(new FirstCertificate(), found.item(found.getLength() - 1));
        context.setProperty("org.jcp.xml.dsig.secureValidation", Boolean.TRUE);
        XMLSignature signature =
            FACTORY.unmarshalXMLSignature(new DOMStructure(found.item(found.getLength() - 1)));
        return signature.validate(context);
    }

    private static final class FirstCertificate extends KeySelector {
        @Override
        public KeySelectorResult select(
                KeyInfo keyInfo, Purpose purpose, javax.xml.crypto.AlgorithmMethod method,
                javax.xml.crypto.XMLCryptoContext context) {
            X509Data data = (X509Data) keyInfo.getContent().get(0);
            for (Object item : data.getContent()) {
                if (item instanceof X509Certificate) {
                    Key key = ((X509Certificate) item).getPublicKey();
                    return () -> key;
                }
            }
            throw new IllegalStateException("no certificate");
        }
    }
}
