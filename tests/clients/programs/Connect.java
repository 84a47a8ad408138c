import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/** Connects to localhost as JavaMail does: with the default context. The port is the argument. */
public class Connect {
    public static void main(String[] words) throws Exception {
        SSLSocketFactory factory = SSLContext.getDefault().getSocketFactory();
        try (SSLSocket socket = (SSLSocket) factory.createSocket("localhost", Integer.parseInt(words[0]))) {
            socket.startHandshake();
            System.out.println(socket.getSession().getCipherSuite());
        }
    }
}
