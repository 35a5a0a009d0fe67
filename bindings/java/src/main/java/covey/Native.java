package covey;

import java.nio.ByteBuffer;

/**
 * The JNI functions, one for each function of covey.h that is used. The callers hold a {@link Use} of every handle that
 * they pass. They have checked that no reference is null unless it may be, and that no array is shorter than C will
 * read.
 */
final class Native {
    static { NativeLoader.load(); }

    private Native() {}

    /** Loads the library, if it is not loaded yet. */
    static void initialise() {}

    static native byte[] version();

    static native int versionNumber();

    static native byte[] statusName(int status);

    static native void setInstructions(int instructions);

    static native long contextCreate(int threads, long memoryBudget, ProgressListener listener);

    static native void contextCancel(long context);

    static native void contextDestroy(long context);

    static native long arrowImport(long context, long schema, long array);

    static native long arrowImportStream(long context, long stream, byte[] names, long count);

    static native long arrowImportBatches(long context, long schema, long[] arrays, byte[] names, long count);

    static native void arrowDestroy(long table);

    static native long arrowRows(long table);

    static native long arrowColumnCount(long table);

    static native byte[] arrowColumnName(long table, int column);

    static native int arrowColumnKind(long table, int column);

    static native long arrowCategoryCount(long table, int column);

    static native byte[] arrowCategory(long table, int column, long category);

    static native ByteBuffer arrowColumnValues(long table, int column);

    static native ByteBuffer arrowMatrix(long schema, long array, long[] shape);

    static native long vocabularyCreate(long context, byte[] names, long count);

    static native long vocabularyBuild(long context, byte[] events, long count, long minCount, long maxSize);

    static native long vocabularySize(long vocabulary);

    static native byte[] vocabularyName(long vocabulary, long index);

    static native void vocabularyLookup(long vocabulary, long context, byte[] names, int[] indices);

    static native void vocabularyDestroy(long vocabulary);

    static native long encoderLoad(long context, byte[] path);

    static native void encoderSave(long encoder, long context, byte[] path);

    static native long encoderDimension(long encoder);

    static native long encoderVocabulary(long encoder);

    static native long encoderCategoricalVocabulary(long encoder, long channel);

    static native boolean encoderUsesDwell(long encoder);

    static native long encoderNumericCount(long encoder);

    static native long encoderCategoricalCount(long encoder);

    static native byte[] encoderNumericName(long encoder, long channel);

    static native byte[] encoderCategoricalName(long encoder, long channel);

    static native void encoderEmbed(long encoder, long context, Sequences sequences, int precision, Object embeddings,
                                    Object attention);

    static native void encoderDestroy(long encoder);

    /** result[0] is the training. It may be set even if an exception is thrown. */
    static native void encoderTrain(long context, Sequences sequences, long vocabulary, long[] integers, double[] reals,
                                    byte[] numericNames, byte[] categoricalNames, long[] categoricalVocabularies,
                                    byte[] checkpoint, TrainingListener listener, long[] result);

    static native long trainingEncoder(long training);

    static native long trainingSteps(long training);

    static native long trainingBestStep(long training);

    static native long trainingEpochs(long training);

    static native void trainingGet(long training, long epoch, double[] reals);

    static native void trainingDestroy(long training);

    static native long hybridFit(long context, Matrix embeddings, FeatureTable features, int scaling, int missing,
                                 long components, double embeddingWeight, double featureWeight, double clip,
                                 double[] columnWeights);

    static native long hybridDimension(long hybrid);

    static native byte[] hybridColumnName(long hybrid, long column);

    static native void hybridTransform(long hybrid, long context, Matrix embeddings, FeatureTable features,
                                       Object output);

    static native void hybridSave(long hybrid, long context, byte[] path);

    static native long hybridLoad(long context, byte[] path);

    static native byte[] hybridWrite(long hybrid, long context);

    static native long hybridRead(long context, byte[] bytes);

    static native void hybridDestroy(long hybrid);

    /** The integers are those of ClusterOptions.integers(), the reals those of ClusterOptions.reals(). */
    static native long clusterMatrix(long context, Matrix matrix, long[] weights, long[] integers, double[] reals,
                                     byte[] index, byte[] indexSearch);

    static native long clusterDistances(long context, Matrix distances, long[] weights, long[] integers, double[] reals,
                                        byte[] index, byte[] indexSearch);

    /** The words of each edge are from, to and the bits of the distance. */
    static native long clusterSpanningTree(long context, long rows, long[] words, long[] integers, double[] reals);

    static native long clusterEdges(long context, long rows, long[] words, double[] cores, long[] integers,
                                    double[] reals);

    static native long clusterNeighbours(long context, long rows, long k, long[] indices, double[] distances,
                                         long[] integers, double[] reals, long[] certified);

    static native long clusteringParts(long clustering);

    static native void nearest(long context, Matrix queries, long[] queryNumbers, Matrix rows, long[] rowNumbers,
                               long k, int metric, boolean merge, long[] indices, double[] distances);

    static native long[] spanningEdges(long context, Matrix rows, long[] rowNumbers, double[] cores, int metric,
                                       double alpha);

    static native long[] mergeEdges(long context, long rows, long[] words);
    static native long[] constrainEdges(long context, long rows, long[] words, long[] mustLink, long[] cannotLink);

    static native long clusteringSelect(long clustering, long context, long[] integers, double[] reals, long[] nodes);

    static native void clusteringSave(long clustering, long context, byte[] path);

    static native long clusteringLoad(long context, byte[] path);

    static native byte[] clusteringWrite(long clustering, long context);

    static native long clusteringRead(long context, byte[] bytes);

    static native void clusteringOptions(long clustering, long[] integers, double[] reals);

    /** The index that the options name, or the parameters of its searches; null if there are none. */
    static native byte[] clusteringIndex(long clustering, boolean search);

    static native long[] clusteringSizes(long clustering);

    static native long clusteringColumns(long clustering);

    static native void clusteringFittedRows(long clustering, double[] rows);

    static native void clusteringCut(long clustering, double distance, long minClusterSize, int[] labels);

    /** With clusters null, the count is 0. */
    static native void clusteringMembership(long clustering, long context, Matrix matrix, long count, int[] clusters,
                                            double[] numbers);

    static native void clusteringPlace(long clustering, long context, Matrix matrix, int[] labels,
                                       double[] probabilities, double[] outlierScores, long[] neighbours);

    static native double validity(long context, Matrix matrix, int[] labels, int metric);

    static native long clusteringRows(long clustering);

    static native long clusteringClusters(long clustering);

    static native double clusteringRecall(long clustering);

    static native void clusteringLabels(long clustering, int[] labels);

    /** 0 probabilities, 1 outlier scores, 2 persistence. */
    static native void clusteringNumbers(long clustering, int which, double[] result);

    /** 0 spanning tree, 1 single-linkage tree, 2 condensed tree, with rows of 3, 4 and 4 words. */
    static native long[] clusteringTree(long clustering, int which);

    static native long[] clusteringSelectedNodes(long clustering);

    static native long[] clusteringExemplars(long clustering, long cluster);

    static native void clusteringPredict(long clustering, long context, Matrix matrix, int[] labels,
                                         double[] probabilities);

    static native void clusteringDestroy(long clustering);

    static native long riskRate(long context, int[] labels, byte[] fraud, double[] amounts, double[] times,
                                double confidence, double minLift, long minFraud, double knownShare, int sharesOver);

    static native void riskSave(long risk, long context, byte[] path);

    static native long riskLoad(long context, byte[] path);

    static native byte[] riskWrite(long risk, long context);

    static native long riskRead(long context, byte[] bytes);

    static native long riskCount(long risk);

    static native double riskBaseRate(long risk);

    static native void riskGet(long risk, long rank, long[] integers, double[] reals);

    static native void riskDestroy(long risk);

    static native long engineBuild(long context, long encoder, long hybrid, long clustering, long risk, long[] rules,
                                   long[] ruleClusters);

    static native byte[] engineText(long engine, long context, int what);

    static native long engineRead(long context, byte[] bytes);

    static native long engineRows(long engine);

    static native long engineRerate(long engine, long context, byte[] fraud, double[] amounts, double[] times);

    static native long engineLoad(long context, byte[] path);

    static native void engineSave(long engine, long context, byte[] path);

    static native long engineEncoder(long engine);

    static native long engineFeatureCount(long engine);

    static native byte[] engineFeatureName(long engine, long feature);

    static native long engineFeatureIndex(long engine, byte[] name);

    static native int engineFeatureKind(long engine, long feature);

    static native long engineScore(long engine, long context, Sequences sequences, FeatureTable features, int badRows,
                                   long maxEvents, double seconds);

    static native void engineDestroy(long engine);

    static native byte[] engineProfile(long engine, long context, long cluster);

    static native long counterfactualsFind(long engine, long context, Sequences sequences, FeatureTable features,
                                           byte[] names, double[] limitReals, long[] limitIntegers, byte[] categories,
                                           long[] integers, double[] reals);

    static native long counterfactualsFigure(long result, int which);

    static native long counterfactualsScores(long result);

    static native void counterfactualsGet(long result, long answer, long[] integers, double[] reals);

    static native long[] counterfactualsRemoved(long result, long answer, long count);

    static native void counterfactualsChange(long result, long answer, long index, long[] integers, double[] reals);

    static native byte[] counterfactualsText(long result, long answer, long index, int which);

    static native void counterfactualsDestroy(long result);

    static native byte[] scoresWarning(long scores, long index);

    static native long driftCreate(long engine, long context);

    static native void driftAdd(long drift, long context, Sequences sequences, FeatureTable features, long scores);

    static native void driftMerge(long drift, long context, long other);

    static native byte[] driftText(long drift, long context, long earlier, int what);

    static native long driftRead(long engine, long context, byte[] bytes);

    static native void driftDestroy(long drift);

    /** The options in the order of ExplainOptions.integers(). */
    static native long engineExplain(long engine, long context, Sequences sequences, FeatureTable features,
                                     long[] options);

    static native long explanationsCount(long explanations);

    static native void explanationsGet(long explanations, long transaction, long[] integers, double[] reals);

    static native void explanationsEvents(long explanations, long transaction, double[] attributions, double[] errors);

    static native void explanationsFeatures(long explanations, long transaction, double[] attributions);

    static native void explanationsDestroy(long explanations);

    static native long sessionSize(long engine, long largestEvents);

    static native void sessionStart(long engine, ByteBuffer session);

    static native void sessionAdd(long engine, ByteBuffer session, byte[] name, int type, double time, double dwell,
                                  double[] numeric, int[] categorical);

    static native void sessionGet(long engine, ByteBuffer session, long[] integers);

    static native float[] sessionEmbed(long engine, long context, ByteBuffer session);

    static native long sessionScore(long engine, long context, ByteBuffer session, FeatureTable features);

    static native long scorerCreate(long engine, long context);

    static native void scorerClear(long scorer);

    static native void scorerSetNumber(long scorer, long feature, double value);

    static native void scorerSetCategory(long scorer, long feature, String category);

    static native void scorerScore(long scorer, Sequences sequences, long maxEvents, double seconds, long[] integers,
                                   double[] reals);

    static native long scorerScores(long scorer);

    static native void scorerDestroy(long scorer);

    static native long scoresCount(long scores);

    static native int scoresStatus(long scores, long transaction);

    static native byte[] scoresMessage(long scores, long transaction);

    static native void scoresGet(long scores, long transaction, long[] integers, double[] reals);

    /** 0 cluster, 1 strength, 2 risk. */
    static native void scoresColumn(long scores, int which, double[] result);

    static native byte[] scoresRule(long scores, long transaction, long index);

    static native long scoresRuleCluster(long scores, long transaction, long index);

    static native byte[] scoresReason(long scores, long transaction, long index);

    static native void scoresDestroy(long scores);

    static native long findRun(long context, Sequences sequences, long vocabulary, FeatureTable features, byte[] fraud,
                               double[] amounts, double[] times, long rows, long encoder, long[] integers,
                               double[] reals, long[] trainingIntegers, double[] trainingReals);

    static native long foundRows(long found);

    static native long foundClusters(long found);

    static native void foundIntegers(long found, int which, int[] result);

    static native void foundReals(long found, int part, double[] result);

    static native long foundGroupCount(long found);

    static native void foundGroup(long found, long index, long[] integers, double[] reals);

    static native byte[] foundGroupText(long found, long index);

    static native long foundFindingCount(long found);

    static native int foundFindingCode(long found, long index);

    static native byte[] foundFindingText(long found, long index);

    static native byte[] foundSettings(long found);

    static native long foundRules(long found);

    static native long foundEngine(long found);

    static native void foundDestroy(long found);
}
