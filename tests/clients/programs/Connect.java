import java.io.FileOutputStream;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * Connects to localhost as JavaMail does: with the default context. The port is the argument.
 * What comes in goes there, and what comes from there goes out, until either ends.
 */
public class Connect {
    public static void main(String[] words) throws Exception {
        SSLSocketFactory factory = SSLContext.getDefault().getSocketFactory();
        try (SSLSocket socket = (SSLSocket) factory.createSocket("localhost", Integer.parseInt(words[0]))) {
            socket.startHandshake();
            InputStream back = socket.getInputStream();
            Thread reader = new Thread(() -> {
                try (OutputStream out = new FileOutputStream(FileDescriptor.out)) {
                    back.transferTo(out);
                } catch (IOException error) {
                    System.err.println(error);
                }
            });
            reader.setDaemon(true);
            reader.start();
            System.in.transferTo(socket.getOutputStream());
        }
    }
}
