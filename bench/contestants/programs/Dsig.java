import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Callable;
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
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;

/** The JDK's own XML signatures over the standard document, bytes in, bytes out; as loop.py. */
public final class Dsig {
    private static final XMLSignatureFactory FACTORY = XMLSignatureFactory.getInstance("DOM");
    private static DocumentBuilder builder;
    private static Transformer transformer;

    private Dsig() {}

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        DocumentBuilderFactory builders = DocumentBuilderFactory.newInstance();
        builders.setNamespaceAware(true);
        builders.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        builder = builders.newDocumentBuilder();
        transformer = TransformerFactory.newInstance().newTransformer();
        Callable<byte[]> sign2048 = signing(folder, 2048);
        Callable<byte[]> sign3072 = signing(folder, 3072);
        Callable<byte[]> verify = verifying(folder);
        System.out.println("sign-2048 sign-3072 verify");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] asked = line.split(" ");
            Callable<byte[]> work =
                    asked[0].equals("verify") ? verify
                            : asked[0].equals("sign-2048") ? sign2048 : sign3072;
            try {
                System.out.println(repeated(work, Double.parseDouble(asked[1])));
            } catch (Exception problem) {
                System.out.println("! " + problem.toString().replace('\n', ' '));
            }
        }
    }

    private static String repeated(Callable<byte[]> work, double seconds) throws Exception {
        StringBuilder found = new StringBuilder();
        long end = System.nanoTime() + (long) (seconds * 1e9);
        do {
            long start = System.nanoTime();
            work.call();
            found.append(System.nanoTime() - start).append(' ');
        } while (System.nanoTime() < end);
        return found.toString().trim();
    }

    private static Callable<byte[]> signing(Path folder, int bits) throws Exception {
        byte[] document = Files.readAllBytes(folder.resolve("document.xml"));
        X509Certificate cert = certificate(folder.resolve("cert-" + bits + ".pem"));
        PrivateKey key = key(folder.resolve("key-" + bits + ".pem"));
        KeyInfoFactory infos = FACTORY.getKeyInfoFactory();
        KeyInfo info = infos.newKeyInfo(List.of(infos.newX509Data(List.of(cert))));
        return () -> {
            Document parsed = builder.parse(new ByteArrayInputStream(document));
            List<Transform> transforms = new ArrayList<>();
            transforms.add(
                    FACTORY.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null));
            transforms.add(
                    FACTORY.newTransform(
                            CanonicalizationMethod.EXCLUSIVE, (TransformParameterSpec) null));
            Reference reference =
                    FACTORY.newReference(
                            "", FACTORY.newDigestMethod(DigestMethod.SHA256, null),
                            transforms, null, null);
            SignedInfo signed =
                    FACTORY.newSignedInfo(
                            FACTORY.newCanonicalizationMethod(
                                    CanonicalizationMethod.EXCLUSIVE,
                                    (C14NMethodParameterSpec) null),
                            FACTORY.newSignatureMethod(
                                    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", null),
                            List.of(reference));
            FACTORY.newXMLSignature(signed, info)
                    .sign(new DOMSignContext(key, parsed.getDocumentElement()));
            ByteArrayOutputStream out = new ByteArrayOutputStream(document.length * 2);
            transformer.transform(new DOMSource(parsed), new StreamResult(out));
            return out.toByteArray();
        };
    }

    private static Callable<byte[]> verifying(Path folder) throws Exception {
        byte[] signed = Files.readAllBytes(folder.resolve("signed.xml"));
        X509Certificate pinned = certificate(folder.resolve("cert-2048.pem"));
        return () -> {
            Document parsed = builder.parse(new ByteArrayInputStream(signed));
            DOMValidateContext context =
                    new DOMValidateContext(
                            pinned.getPublicKey(),
                            parsed.getElementsByTagNameNS(XMLSignature.XMLNS, "Signature").item(0));
            if (!FACTORY.unmarshalXMLSignature(context).validate(context)) {
                throw new IllegalStateException("the signature does not hold");
            }
            return null;
        };
    }

    private static X509Certificate certificate(Path file) throws Exception {
        try (var in = Files.newInputStream(file)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private static PrivateKey key(Path file) throws Exception {
        String text = Files.readString(file).replaceAll("-----[A-Z ]+-----", "");
        byte[] der = Base64.getMimeDecoder().decode(text);
        return KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der));
    }
}
