import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One node of OpenSearch on loopback: DATA_DIR PORT CLUSTER PLUGIN_CLASS,... Lives until it is ended. */
public class Run {
  public static void main(String[] args) throws Exception {
    var runner = new OpenSearchRunner();
    runner.onBuild((number, settings) -> {
      settings.put("http.port", args[1]);
      settings.put("http.host", "127.0.0.1");
      settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
    });
    runner.build(OpenSearchRunner.newConfigs()
        .basePath(args[0]).numOfNode(1).clusterName(args[2]).pluginTypes(args[3]));
    Thread.currentThread().join();
  }
}
