package localaws;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Where a function's classes are: in its code, in the jars of its lib, and in those of layers. */
final class Code {
    private Code() {}

    static ClassLoader loader(String task, String opt) throws MalformedURLException {
        List<URL> places = new ArrayList<>();
        places.add(new File(task).toURI().toURL());
        addJars(new File(task, "lib"), places);
        addJars(new File(opt, "java/lib"), places);
        return new URLClassLoader(places.toArray(new URL[0]), Code.class.getClassLoader());
    }

    private static void addJars(File folder, List<URL> places) throws MalformedURLException {
        File[] jars = folder.listFiles((parent, name) -> name.endsWith(".jar"));
        if (jars == null) return;
        Arrays.sort(jars); // so that it does not depend on the file system which of two classes is found
        for (File jar : jars) places.add(jar.toURI().toURL());
    }
}
