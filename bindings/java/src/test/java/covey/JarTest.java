package covey;

import static org.junit.jupiter.api.Assertions.*;

import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleFinder;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the jar holds for Maven, for modules and for native images. */
class JarTest {
    private static String resource(String name) throws IOException {
        try (InputStream stream = Covey.class.getResourceAsStream("/META-INF/" + name)) {
            assertNotNull(stream, name + " is not in the jar");
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void thePomHasTheVersionOfTheLibrary() throws IOException {
        Properties properties = new Properties();
        try (InputStream stream = Covey.class.getResourceAsStream("/META-INF/maven/covey/covey/pom.properties")) {
            properties.load(stream);
        }
        assertEquals(Covey.version(), properties.getProperty("version"));
        String pom = resource("maven/covey/covey/pom.xml");
        assertTrue(pom.contains("<version>" + Covey.version() + "</version>"));
        assertTrue(pom.contains("<artifactId>covey</artifactId>"));
    }

    /** What must travel with a binary: the licences of its parts and the list of them. */
    @Test
    void licencesAndBillOfMaterialsAreInTheJar() throws IOException {
        for (String name : List.of("LICENSE", "NOTICE")) assertFalse(resource(name).isBlank(), name);
        String licences = resource("THIRD-PARTY-LICENSES");
        for (String part : List.of("MIT License", "OpenBLAS", "LAPACK", "Runtime Library Exception"))
            assertTrue(licences.contains(part), part);
        String bill = resource("covey.spdx.json");
        assertTrue(bill.contains("SPDX-2.3") && bill.contains("libfaiss-dev"), bill);
    }

    @Test
    void theModuleIsCalledCovey() throws URISyntaxException {
        Path jar = Path.of(Covey.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        assertTrue(ModuleFinder.of(jar).find("covey").isPresent());
    }

    /** Every class, field and method that C looks up by name is known to a native image. */
    @Test
    void theNativeImageKnowsWhatCAsksFor() throws IOException {
        String known = resource("native-image/covey/covey/jni-config.json");
        List<Path> files;
        try (Stream<Path> found = Files.list(Path.of("bindings", "java", "jni"))) {
            files = found.filter(file -> file.toString().endsWith(".c")).toList();
        }
        TreeSet<String> names = new TreeSet<>();
        Pattern lookup =
            Pattern.compile("(FindClass|GetFieldID|GetMethodID|GetStaticMethodID)\\(env,([^;]*?)\"([^\"]+)\"");
        for (Path file : files) {
            Matcher matcher = lookup.matcher(Files.readString(file));
            while (matcher.find()) names.add(matcher.group(3).replace('/', '.'));
        }
        assertTrue(names.size() > 15, names.toString());
        names.removeIf(name -> known.contains("\"" + name + "\""));
        assertEquals(new TreeSet<String>(), names, "names that bindings/java/native-image/jni-config.json lacks");
        assertTrue(resource("native-image/covey/covey/resource-config.json").contains("META-INF/native/"));
    }
}
