import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import software.amazon.dynamodb.services.local.main.ServerRunner;

/**
 * Runs DynamoDB Local in memory on 127.0.0.1, at a free port that it prints as "port N", until its
 * standard input ends. ServerRunner alone would listen on every interface.
 */
public class Launcher {
    public static void main(String[] args) throws Exception {
        var local = ServerRunner.createServerFromCommandLineArgs(
                new String[] {"-inMemory", "-sharedDb", "-disableTelemetry"});
        var field = local.getClass().getDeclaredField("server");
        field.setAccessible(true);
        var connectors = ((Server) field.get(local)).getConnectors();
        for (Connector c : connectors) {
            ((ServerConnector) c).setHost("127.0.0.1");
            ((ServerConnector) c).setPort(0);
        }
        local.start();
        System.out.println("port " + ((ServerConnector) connectors[0]).getLocalPort());
        while (System.in.read() >= 0) {
        }
        Runtime.getRuntime().halt(0);
    }
}
