package covey;

import java.util.ArrayList;
import java.util.List;

/** The canonical road of examples/data/README.md, from the sample's events to an engine. */
final class Road implements AutoCloseable {
    final Sample sample;
    final SequenceEncoder encoder;
    final Matrix embeddings;
    final HybridFeatures hybrid;
    final Matrix rows;
    final Clustering clustering;
    final int[] labels;
    final ClusterRisk risk;
    final List<ClusterReport> risky = new ArrayList<>();
    final List<RuleSet> rules = new ArrayList<>();
    final Engine engine;

    Road(Sample sample, Context context) {
        this.sample = sample;
        encoder = SequenceEncoder.load(Sample.MODEL, context);
        embeddings = encoder.embed(sample.sequences, context);
        hybrid = HybridFeatures.fit(embeddings, sample.features,
                                    HybridOptions.builder().embeddingWeight(1.5).clip(3).build(), context);
        rows = hybrid.transform(embeddings, sample.features, context);
        clustering = Clustering.cluster(rows,
                                        ClusterOptions.builder()
                                            .minClusterSize(12)
                                            .minSamples(5)
                                            .selection(ClusterOptions.Selection.LEAF)
                                            .prediction(true)
                                            .build(),
                                        context);
        labels = clustering.labels();
        risk = ClusterRisk.rate(labels, sample.labels, sample.amounts, sample.times, null, context);
        Engine.Builder parts = Engine.builder().encoder(encoder).hybrid(hybrid).clustering(clustering).risk(risk);
        for (ClusterReport report : risk.reports()) {
            if (!report.risky()) continue;
            RuleSet set = RuleSet.extract(sample.features, inCluster(report.cluster()), ruleOptions(report), context);
            risky.add(report);
            rules.add(set);
            parts.rules(set, report.cluster());
        }
        engine = parts.build();
    }

    private RuleOptions ruleOptions(ClusterReport report) {
        return RuleOptions.builder()
            .minSupport(5)
            .times(sample.times)
            .targetName("cluster " + report.cluster())
            .build();
    }

    boolean[] inCluster(long cluster) {
        boolean[] result = new boolean[labels.length];
        for (int row = 0; row < result.length; ++row) result[row] = labels[row] == cluster;
        return result;
    }

    @Override
    public void close() {
        engine.close();
        rules.forEach(RuleSet::close);
        risk.close();
        clustering.close();
        hybrid.close();
        encoder.close();
    }
}
