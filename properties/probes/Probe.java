import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/** Apache Kafka's own client as a client under test. Speaks docs/clients.md; java.sh starts it. One thread, but for the outcomes of sends. */
@SuppressWarnings("deprecation")                                       // close(Duration): 3.9 has no other
public final class Probe {
    /** What certainly did not happen and never will, however often it was tried. */
    private static final Set<String> NEVER = Set.of("RecordTooLargeException", "SerializationException", "InvalidTopicException", "TopicAuthorizationException", "ClusterAuthorizationException",
        "UnsupportedVersionException", "InvalidRecordException", "ConfigException", "IllegalArgumentException",
        "CommitFailedException", "RebalanceInProgressException", "FencedInstanceIdException");

    /** Definite only where nothing was sent before: with retries=0. An earlier try may have been appended, and only the last one is told. */
    private static final Set<String> NEVER_AT_FIRST = Set.of("NotEnoughReplicasException");

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration CLOSE = Duration.ofSeconds(30);
    private static final PrintStream OUT = System.out;

    private final Map<String, String> overrides = new HashMap<>();
    private KafkaProducer<String, String> producer;
    private KafkaConsumer<String, String> consumer;
    private boolean isClassic;
    private int retries;

    public static void main(String[] arguments) throws Exception {
        System.setOut(System.err);                                     // whatever the library prints is no line of ours
        var probe = new Probe();
        for (var argument : arguments) {
            if (argument.equals("--outcomes")) {
                outcomes();
                return;
            }
            var at = argument.indexOf('=');
            probe.overrides.put(argument.substring(0, at), argument.substring(at + 1));
        }
        probe.serve();
        System.exit(0);
    }

    /** fail: it did not happen and never will. info: it may have happened; a time-out always is that. */
    static String outcome(String exception, int retries) {
        return NEVER.contains(exception) || retries == 0 && NEVER_AT_FIRST.contains(exception) ? "fail" : "info";
    }

    /** Tells of each exception whose name it reads what it means with retries=0 and with more. */
    private static void outcomes() throws IOException {
        var names = new BufferedReader(new InputStreamReader(System.in));
        for (String name; (name = names.readLine()) != null;) OUT.println(name + " " + outcome(name, 0) + " " + outcome(name, 1));
    }

    private void serve() throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line; (line = lines.readLine()) != null;) {
            var request = JSON.readTree(line);
            var id = request.get("id").asLong();
            try {
                var answer = carryOut(request.get("f").asText(), request, id);
                if (answer != null) tell(answer.put("id", id).put("type", "ok"));
            } catch (Exception problem) {
                tell(failed(id, problem));
            }
            if (request.get("f").asText().equals("close")) return;
        }
    }

    /** Null: the answer comes later. */
    private ObjectNode carryOut(String function, JsonNode request, long id) {
        switch (function) {
            case "open": return open(request.get("role").asText(), request.get("settings"));
            case "send": return send(request, id);
            case "assign":
                var assigned = partitions(request.get("partitions")).keySet();
                consumer.assign(assigned);
                consumer.seekToBeginning(assigned);
                return JSON.createObjectNode();
            case "seek":
                partitions(request.get("offsets")).forEach(consumer::seek);
                return JSON.createObjectNode();
            case "subscribe":
                var topics = new ArrayList<String>();
                request.get("topics").forEach(topic -> topics.add(topic.asText()));
                consumer.subscribe(topics, new Listener());
                return JSON.createObjectNode();
            case "poll": return poll(Duration.ofMillis(request.get("timeoutMs").asLong()));
            case "commit":
                var offsets = new HashMap<TopicPartition, OffsetAndMetadata>();
                partitions(request.get("offsets")).forEach((partition, offset) -> offsets.put(partition, new OffsetAndMetadata(offset)));
                consumer.commitSync(offsets);
                return JSON.createObjectNode();
            case "close":
                if (producer != null) producer.close(CLOSE);
                if (consumer != null) consumer.close(CLOSE);
                return JSON.createObjectNode();
            default: throw new IllegalArgumentException("unknown request " + function);
        }
    }

    private ObjectNode open(String role, JsonNode asked) {
        var settings = new Properties();
        for (var one : asked.properties()) settings.put(one.getKey(), one.getValue().asText());
        settings.putAll(overrides);
        retries = Integer.parseInt(settings.getProperty("retries", "0"));
        isClassic = settings.getProperty("group.protocol", "classic").equals("classic");
        if (role.equals("producer")) producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
        else consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
        return JSON.createObjectNode().put("client", "kafka-clients " + AppInfoParser.getVersion());
    }

    private ObjectNode send(JsonNode request, long id) {
        var record = new ProducerRecord<>(request.get("topic").asText(), request.get("partition").asInt(), request.get("key").textValue(), request.get("value").textValue());
        producer.send(record, (sent, problem) -> {
            if (problem != null) tell(failed(id, problem));
            else if (sent.hasOffset()) tell(JSON.createObjectNode().put("id", id).put("type", "ok").put("offset", sent.offset()));
            else tell(JSON.createObjectNode().put("id", id).put("type", "ok"));      // acks=0: sent, nothing more
        });
        return null;
    }

    private ObjectNode poll(Duration timeout) {
        var answer = JSON.createObjectNode();
        var records = answer.putArray("records");
        for (var record : consumer.poll(timeout))
            put(records, record.topic(), record.partition()).put("offset", record.offset()).put("key", record.key()).put("value", record.value());
        return answer;
    }

    private ObjectNode failed(long id, Exception problem) {
        var name = problem.getClass().getSimpleName();
        return JSON.createObjectNode().put("id", id).put("type", outcome(name, retries)).put("error", name + ": " + problem.getMessage());
    }

    private static Map<TopicPartition, Long> partitions(JsonNode all) {
        var partitions = new HashMap<TopicPartition, Long>();
        all.forEach(one -> partitions.put(new TopicPartition(one.get("topic").asText(), one.get("partition").asInt()), one.path("offset").asLong(-1)));
        return partitions;
    }

    private static ObjectNode put(ArrayNode into, String topic, int partition) {
        return into.addObject().put("topic", topic).put("partition", partition);
    }

    private static synchronized void tell(ObjectNode line) {
        OUT.println(line);
        OUT.flush();
    }

    /** Tells what the group gives to this member, with where the group stands, and what it takes away. */
    private final class Listener implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
            var group = consumer.groupMetadata();
            var line = JSON.createObjectNode().put("f", "assigned").put("member", group.memberId());
            if (isClassic) line.put("generation", group.generationId());                 // the newer protocol has an epoch for each member
            var committed = consumer.committed(new HashSet<>(assigned));
            var told = line.putArray("partitions");
            for (var partition : assigned) {
                var offset = committed.get(partition);
                put(told, partition.topic(), partition.partition()).put("offset", offset == null ? -1 : offset.offset());
            }
            tell(line);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
            var line = JSON.createObjectNode().put("f", "revoked");
            var told = line.putArray("partitions");
            for (var partition : List.copyOf(revoked)) put(told, partition.topic(), partition.partition());
            tell(line);
        }
    }
}
