// Apache Velocity 1.7, asked by `filter/tests/velocity_oracle.rs`: templates and contexts in, what Velocity makes of them out.
//
// Frames are length-prefixed and big-endian, so that nothing has to be escaped. A question is a text (the template) and a value (the
// context, a map); an answer is a byte, then a text:
//
//   text   length:i32 UTF-8
//   value  'n' | 't' | 'f' | 'i' i64 | 's' text | 'l' count:i32 value* | 'm' count:i32 (text value)*
//   answer 'o' rendered | 'p' why the template was refused | 'x' why the rendering ended
//
// What is Velocity's alone is taken out here, each by the means that Velocity has for it:
// - a reference without a value is "" wherever it stands, as API Gateway's is (and a string is true): an event handler says so;
// - a method that throws has no value either: what API Gateway answers then is not recorded;
// - a map literal keeps the order in which it was written: Velocity's is a HashMap, in the order of Java's hashes;
// - nothing is logged, and no library of macros is looked for.

import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.event.EventCartridge;
import org.apache.velocity.app.event.InvalidReferenceEventHandler;
import org.apache.velocity.app.event.MethodExceptionEventHandler;
import org.apache.velocity.context.Context;
import org.apache.velocity.context.InternalContextAdapter;
import org.apache.velocity.context.InternalContextAdapterImpl;
import org.apache.velocity.exception.MethodInvocationException;
import org.apache.velocity.runtime.RuntimeConstants;
import org.apache.velocity.runtime.RuntimeInstance;
import org.apache.velocity.runtime.directive.StopCommand;
import org.apache.velocity.runtime.parser.node.ASTMap;
import org.apache.velocity.runtime.parser.node.Node;
import org.apache.velocity.runtime.parser.node.SimpleNode;
import org.apache.velocity.util.introspection.Info;

public class Oracle {
    public static void main(String[] arguments) throws Exception {
        RuntimeInstance velocity = new RuntimeInstance();
        velocity.setProperty(RuntimeConstants.RUNTIME_LOG_LOGSYSTEM_CLASS, "org.apache.velocity.runtime.log.NullLogChute");
        velocity.setProperty(RuntimeConstants.VM_LIBRARY, "");
        velocity.init();
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out));
        for (int first = in.read(); first >= 0; first = in.read()) {
            int length = first << 24 | in.readUnsignedByte() << 16 | in.readUnsignedShort();
            String template = new String(in.readNBytes(length), StandardCharsets.UTF_8);
            answer(velocity, template, (Map<?, ?>) value(in), out);
            // Whoever asks one by one waits for each answer; a batch is read on before it is sent.
            if (in.available() == 0) {
                out.flush();
            }
        }
        out.flush();
    }

    static void answer(RuntimeInstance velocity, String template, Map<?, ?> values, DataOutputStream out) throws IOException {
        VelocityContext context = new VelocityContext(values);
        EventCartridge cartridge = new EventCartridge();
        cartridge.addEventHandler(new Missing());
        context.attachEventCartridge(cartridge);
        InternalContextAdapter adapter = new InternalContextAdapterImpl(context);
        adapter.pushCurrentTemplateName("t");
        SimpleNode tree;
        try {
            tree = velocity.parse(new StringReader(template), "t");
            keepOrder(tree);
            tree.init(adapter, velocity);
        } catch (Exception | Error refused) {
            say(out, 'p', refused.toString());
            return;
        }
        StringWriter text = new StringWriter();
        try {
            tree.render(adapter, text);
        } catch (StopCommand stop) {
            // The text so far.
        } catch (Exception | Error ended) {
            say(out, 'x', ended.toString());
            return;
        }
        say(out, 'o', text.toString());
    }

    static void say(DataOutputStream out, char verdict, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeByte(verdict);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    static String text(DataInputStream in) throws IOException {
        return new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
    }

    static Object value(DataInputStream in) throws IOException {
        int kind = in.readUnsignedByte();
        switch (kind) {
            case 'n': return null;
            case 't': return true;
            case 'f': return false;
            case 's': return text(in);
            case 'i': {
                // As JSON readers do: an Integer where it fits.
                long number = in.readLong();
                return (int) number == number ? (Object) (int) number : (Object) number;
            }
            case 'l': {
                List<Object> list = new ArrayList<>();
                for (int left = in.readInt(); left > 0; left--) list.add(value(in));
                return list;
            }
            case 'm': {
                Map<String, Object> map = new LinkedHashMap<>();
                for (int left = in.readInt(); left > 0; left--) map.put(text(in), value(in));
                return map;
            }
            default: throw new IOException("no such kind of value: " + kind);
        }
    }

    /** Puts an {@link OrderedMap} where the parser put a map literal. */
    static void keepOrder(Node node) {
        for (int i = 0; i < node.jjtGetNumChildren(); i++) {
            Node child = node.jjtGetChild(i);
            keepOrder(child);
            if (child.getClass() == ASTMap.class) {
                ((SimpleNode) node).jjtAddChild(new OrderedMap((ASTMap) child), i);
            }
        }
    }

    static class OrderedMap extends ASTMap {
        private final ASTMap literal;

        OrderedMap(ASTMap literal) {
            super(0);
            this.literal = literal;
            for (int i = 0; i < literal.jjtGetNumChildren(); i++) jjtAddChild(literal.jjtGetChild(i), i);
            jjtSetParent(literal.jjtGetParent());
            first = literal.getFirstToken();
            last = literal.getLastToken();
        }

        @Override
        public Object init(InternalContextAdapter context, Object data) throws org.apache.velocity.exception.TemplateInitException {
            return literal.init(context, data);
        }

        @Override
        public Object value(InternalContextAdapter context) throws MethodInvocationException {
            Map<Object, Object> map = new LinkedHashMap<>();
            for (int i = 0; i + 1 < jjtGetNumChildren(); i += 2) {
                map.put(jjtGetChild(i).value(context), jjtGetChild(i + 1).value(context));
            }
            return map;
        }
    }

    /** What stands for a value that is not there. */
    static class Missing implements InvalidReferenceEventHandler, MethodExceptionEventHandler {
        @Override
        @SuppressWarnings("rawtypes")
        public Object methodException(Class kind, String method, Exception thrown) {
            return "";
        }

        @Override
        public Object invalidGetMethod(Context context, String reference, Object object, String property, Info info) {
            return "";
        }

        @Override
        public Object invalidMethod(Context context, String reference, Object object, String method, Info info) {
            return "";
        }

        @Override
        public boolean invalidSetMethod(Context context, String left, String right, Info info) {
            return false;
        }
    }
}
