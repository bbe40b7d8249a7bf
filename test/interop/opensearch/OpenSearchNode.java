import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/** An OpenSearch node of its own cluster on 127.0.0.1. Arguments: its directory and its HTTP port. Runs until it is killed. */
public final class OpenSearchNode extends Node {
  private OpenSearchNode(Settings settings, Path configuration) {
    super(
        InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), configuration, () -> "golden"),
        List.of(Netty4Plugin.class),
        false);
  }

  public static void main(String[] args) throws Exception {
    Settings settings =
        Settings.builder()
            .put("path.home", args[0])
            .put("http.port", args[1])
            .put("network.host", "127.0.0.1")
            .put("cluster.name", "golden")
            .put("node.name", "golden")
            .put("discovery.type", "single-node")
            .put("http.type", "netty4")
            .put("transport.type", "netty4")
            .build();
    new OpenSearchNode(settings, Path.of(args[0], "config")).start();
    Thread.currentThread().join();
  }
}
