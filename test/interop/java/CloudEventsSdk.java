import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.cloudevents.CloudEvent;
import io.cloudevents.core.message.Encoding;
import io.cloudevents.http.HttpMessageFactory;
import io.cloudevents.jackson.JsonFormat;
import io.cloudevents.kafka.CloudEventDeserializer;
import io.cloudevents.kafka.CloudEventSerializer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

/**
 * Reads messages of brokers with the CloudEvents SDK for Java, and writes what it understood and the message it makes of
 * it. One JSON object per line on standard input and output; test/interop/support/sdk-program.ts describes both.
 */
public final class CloudEventsSdk {
  private static final String TOPIC = "golden";
  private static final ObjectMapper JSON = new ObjectMapper();

  private record Content(Map<String, String> headers, String body) {}

  public static void main(String[] args) throws IOException {
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      answers.println(JSON.writeValueAsString(answerTo(JSON.readTree(line))));
    }
  }

  private static Map<String, Object> answerTo(JsonNode message) {
    boolean isKafka = message.get("broker").asText().equals("kafka");
    boolean isBinary = message.get("mode").asText().equals("binary");
    Map<String, String> headers = new TreeMap<>();
    message.get("headers").fields().forEachRemaining(each -> headers.put(each.getKey(), each.getValue().asText()));
    byte[] body = bytesOf(message.get("body").asText());
    CloudEvent event = isKafka ? fromKafka(headers, body) : HttpMessageFactory.createReader(headers, body).toEvent();
    Content again = isKafka ? toKafka(event, isBinary) : toHttp(event, isBinary);
    return Map.of(
        "timeMs", event.getTime().toInstant().toEpochMilli(),
        "attributes", textsOf(event),
        "again", Map.of("headers", again.headers(), "body", again.body()));
  }

  private static CloudEvent fromKafka(Map<String, String> texts, byte[] body) {
    Headers headers = new RecordHeaders();
    texts.forEach((name, value) -> headers.add(name, bytesOf(value)));
    try (var deserializer = new CloudEventDeserializer()) {
      return deserializer.deserialize(TOPIC, headers, body);
    }
  }

  private static Content toKafka(CloudEvent event, boolean isBinary) {
    Map<String, Object> settings = new HashMap<>();
    settings.put(CloudEventSerializer.ENCODING_CONFIG, isBinary ? Encoding.BINARY : Encoding.STRUCTURED);
    if (!isBinary) settings.put(CloudEventSerializer.EVENT_FORMAT_CONFIG, JsonFormat.CONTENT_TYPE);
    Headers headers = new RecordHeaders();
    try (var serializer = new CloudEventSerializer()) {
      serializer.configure(settings, false);
      byte[] body = serializer.serialize(TOPIC, headers, event);
      Map<String, String> texts = new TreeMap<>();
      headers.forEach(each -> texts.put(each.key(), textOf(each.value())));
      return new Content(texts, textOf(body));
    }
  }

  private static Content toHttp(CloudEvent event, boolean isBinary) {
    Map<String, String> headers = new TreeMap<>();
    byte[][] body = new byte[1][];
    var writer =
        HttpMessageFactory.createWriter((name, value) -> headers.put(name.toLowerCase(), value), bytes -> body[0] = bytes);
    if (isBinary) {
      writer.writeBinary(event);
    } else {
      writer.writeStructured(event, JsonFormat.CONTENT_TYPE);
    }
    return new Content(headers, textOf(body[0]));
  }

  /** All attributes except the time. */
  private static Map<String, String> textsOf(CloudEvent event) {
    Map<String, String> texts = new TreeMap<>();
    event.getAttributeNames().forEach(name -> texts.put(name, String.valueOf(event.getAttribute(name))));
    event.getExtensionNames().forEach(name -> texts.put(name, String.valueOf(event.getExtension(name))));
    texts.remove("time");
    texts.values().removeIf("null"::equals);
    return texts;
  }

  private static byte[] bytesOf(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String textOf(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
