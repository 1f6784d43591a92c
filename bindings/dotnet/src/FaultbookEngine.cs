using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;

namespace Faultbook
{
    /// <summary>How an engine is opened.</summary>
    public sealed class EngineOptions
    {
        /// <summary>The rules directory.</summary>
        public string Rules { get; set; }

        /// <summary>
        /// Keeps every set that was taken into use in this directory, and starts with the last one when the rules do not
        /// load. One engine at a time uses it.
        /// </summary>
        public string State { get; set; }

        /// <summary>Takes changed rules into use as soon as they are proven.</summary>
        public bool Watch { get; set; }

        /// <summary>Starts with nothing but DSUNK001 when there are no rules that load.</summary>
        public bool AllowFallbackOnly { get; set; }
    }

    /// <summary>
    /// The engine in this process, through the native library <c>faultbook</c>. Open one and keep it: it holds the compiled
    /// rules, and any number of threads may use it at the same time.
    /// </summary>
    public sealed class FaultbookEngine : IFaultbook
    {
        private static readonly UTF8Encoding Utf8 = new UTF8Encoding(false);
        private readonly EngineHandle _handle;

        private FaultbookEngine(EngineHandle handle)
        {
            _handle = handle;
        }

        /// <summary>Opens an engine on a rules directory.</summary>
        /// <exception cref="FaultbookException">The rules do not load, or the native library is missing.</exception>
        public static FaultbookEngine Open(string rules)
        {
            return Open(new EngineOptions { Rules = rules });
        }

        /// <summary>Opens an engine on a rules directory.</summary>
        /// <exception cref="FaultbookException">The rules do not load, or the native library is missing.</exception>
        public static FaultbookEngine Open(EngineOptions options)
        {
            if (options == null)
            {
                throw new ArgumentNullException(nameof(options));
            }
            if (options.Rules == null)
            {
                throw new FaultbookException("no rules directory; OpenBuiltIn takes the built-in rules", "invalid-options", null, null);
            }
            var json = new JsonWriter();
            json.Begin('{');
            if (options.State != null)
            {
                json.Name("state");
                json.Text(options.State);
            }
            json.Name("watch");
            json.Truth(options.Watch);
            json.Name("allow_fallback_only");
            json.Truth(options.AllowFallbackOnly);
            json.End('}');
            return Open(options.Rules, json.ToString());
        }

        /// <summary>Opens an engine on the rules that are built into the library.</summary>
        /// <exception cref="FaultbookException">The native library is missing.</exception>
        public static FaultbookEngine OpenBuiltIn()
        {
            return Open(null, null);
        }

        /// <summary>The version of the native library.</summary>
        public static unsafe string LibraryVersion
        {
            get { return TextAt(NativeMethods.faultbook_version()); }
        }

        /// <inheritdoc/>
        public Decision Classify(Exception exception, ClassifyOptions options = null)
        {
            Stated stated = default(Stated);
            try
            {
                return Answer(Utf8.GetBytes(ExceptionReader.Write(exception, options, out stated)));
            }
            catch (Exception fault)
            {
                return Decision.Local(stated.Message == null ? ExceptionReader.StatedBy(exception, options) : stated, "unavailable", Why(fault));
            }
        }

        /// <inheritdoc/>
        public Decision ClassifyJson(string failure)
        {
            return ClassifyJson(failure == null ? null : Utf8.GetBytes(failure));
        }

        /// <inheritdoc/>
        public Decision ClassifyJson(byte[] failure)
        {
            try
            {
                return Answer(failure ?? new byte[0]);
            }
            catch (Exception fault)
            {
                return Decision.Local(default(Stated), "unavailable", Why(fault));
            }
        }

        /// <summary>
        /// Loads the rules again and says truthfully what came of it. Rules that do not load change nothing, and are no
        /// exception either: the answer has the report. Other threads go on classifying meanwhile.
        /// </summary>
        /// <exception cref="ObjectDisposedException">The engine is disposed.</exception>
        public unsafe ReloadOutcome Reload()
        {
            using (var use = new Use(_handle))
            {
                return ReloadOutcome.Read(Take(NativeMethods.faultbook_reload(use.Engine)));
            }
        }

        /// <summary>How the engine stands, at this moment.</summary>
        /// <exception cref="ObjectDisposedException">The engine is disposed.</exception>
        public unsafe EngineStatus Status
        {
            get
            {
                using (var use = new Use(_handle))
                {
                    return EngineStatus.Read(Take(NativeMethods.faultbook_status(use.Engine)));
                }
            }
        }

        /// <summary>
        /// The report of the last load, as the JSON that <c>faultbook check --format json</c> writes: why the rules were
        /// rejected, or the warnings of those in force.
        /// </summary>
        /// <exception cref="ObjectDisposedException">The engine is disposed.</exception>
        public unsafe string LastReport
        {
            get
            {
                using (var use = new Use(_handle))
                {
                    return Take(NativeMethods.faultbook_report(use.Engine));
                }
            }
        }

        /// <summary>Closes the engine. Calls that are under way end first; later ones are answered with DSUNK001.</summary>
        public void Dispose()
        {
            _handle.Dispose();
        }

        private static unsafe FaultbookEngine Open(string rules, string options)
        {
            try
            {
                uint version = NativeMethods.faultbook_abi_version();
                if (version != NativeMethods.FAULTBOOK_ABI_VERSION)
                {
                    string message = "the native library faultbook has interface " + version + ", this package needs " + NativeMethods.FAULTBOOK_ABI_VERSION;
                    throw new FaultbookException(message, "native-library", null, null);
                }
                byte* error = null;
                NativeEngine* engine;
                fixed (byte* path = EndedByNul(rules))
                fixed (byte* json = EndedByNul(options))
                {
                    engine = NativeMethods.faultbook_open(path, json, &error);
                }
                if (engine == null)
                {
                    throw FaultbookException.Read(Take(error));
                }
                return new FaultbookEngine(new EngineHandle(engine));
            }
            catch (Exception missing) when (missing is DllNotFoundException || missing is EntryPointNotFoundException
                || missing is BadImageFormatException)
            {
                string message = "the native library faultbook cannot be loaded: " + missing.Message;
                throw new FaultbookException(message, "native-library", null, missing);
            }
        }

        private unsafe Decision Answer(byte[] failure)
        {
            using (var use = new Use(_handle))
            {
                UIntPtr length;
                byte* decision;
                fixed (byte* start = failure)
                {
                    decision = NativeMethods.faultbook_classify(use.Engine, start, (UIntPtr)failure.Length, &length);
                }
                try
                {
                    return Decision.Read(Utf8.GetString(decision, checked((int)length)));
                }
                finally
                {
                    NativeMethods.faultbook_string_free(decision);
                }
            }
        }

        private static byte[] EndedByNul(string text)
        {
            if (text == null)
            {
                return null;
            }
            if (text.IndexOf('\0') >= 0)
            {
                throw new FaultbookException("a path holds the character NUL", "invalid-options", null, null);
            }
            return Utf8.GetBytes(text + "\0");
        }

        /// <summary>A text of the library, which is freed.</summary>
        private static unsafe string Take(byte* text)
        {
            if (text == null)
            {
                throw new InvalidOperationException("the native library faultbook had an internal error");
            }
            try
            {
                return TextAt(text);
            }
            finally
            {
                NativeMethods.faultbook_string_free(text);
            }
        }

        private static unsafe string TextAt(byte* text)
        {
            int length = 0;
            while (text[length] != 0)
            {
                length++;
            }
            return Utf8.GetString(text, length);
        }

        private static string Why(Exception fault)
        {
            return fault is ObjectDisposedException ? "the engine is disposed" : fault.GetType() + ": " + fault.Message;
        }

        /// <summary>Keeps the engine open while a call is under way.</summary>
        private unsafe struct Use : IDisposable
        {
            private readonly EngineHandle _handle;
            private readonly bool _isHeld;

            public Use(EngineHandle handle)
            {
                _handle = handle;
                _isHeld = false;
                handle.DangerousAddRef(ref _isHeld);
            }

            public NativeEngine* Engine
            {
                get { return (NativeEngine*)_handle.DangerousGetHandle(); }
            }

            public void Dispose()
            {
                if (_isHeld)
                {
                    _handle.DangerousRelease();
                }
            }
        }
    }

    /// <summary>The native engine, closed when nobody uses it any more, and only then.</summary>
    internal sealed class EngineHandle : SafeHandle
    {
        private static int alive;

        public unsafe EngineHandle(NativeEngine* engine)
            : base(IntPtr.Zero, true)
        {
            System.Threading.Interlocked.Increment(ref alive);
            SetHandle((IntPtr)engine);
        }

        /// <summary>Native engines that are open.</summary>
        public static int Alive
        {
            get { return System.Threading.Volatile.Read(ref alive); }
        }

        public override bool IsInvalid
        {
            get { return handle == IntPtr.Zero; }
        }

        protected override unsafe bool ReleaseHandle()
        {
            NativeMethods.faultbook_close((NativeEngine*)handle);
            System.Threading.Interlocked.Decrement(ref alive);
            return true;
        }
    }
}
